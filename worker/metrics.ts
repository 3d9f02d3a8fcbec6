// Prometheus' view of the worker: numbers that others keep, read when they are asked for.
import type { Registry } from 'prom-client';
import { WORKER_METRICS } from '../core/metrics.ts';
import { type AppliedConfig, DEATH_CAUSES, REPLACE_CAUSES } from '../core/status/worker.ts';
import { type DoorFacts, doorSources } from '../http/door-metrics.ts';
import { oncePerTurn, type Reading, registerMetrics } from '../http/metrics.ts';
import type { Front } from './front/front.ts';
import { countProcesses, countSlots } from './status.ts';
import type { SupervisorSnapshot } from './supervisor.ts';

export interface MetricSources {
  readonly supervisor: () => SupervisorSnapshot;
  readonly front: Pick<Front, 'counters' | 'door' | 'snapshot'>;
  readonly config: () => AppliedConfig;
  readonly spans: DoorFacts['spans'];
}

/** Registers all metrics of the worker at `registry`. */
export function registerWorkerMetrics(registry: Registry, { supervisor, front, config, spans }: MetricSources): void {
  const { counters, door } = front;
  const look = oncePerTurn(supervisor);
  const queue = oncePerTurn(() => front.snapshot().queue);
  registerMetrics(registry, 'webapp_worker_', WORKER_METRICS, {
    ...doorSources({ answers: counters.answers, queueTime: counters.queueTime, queue, door, config, spans }),
    app_seconds: counters.appTime,
    processes: () => processReadings(look()),
    process_ends_total: () => endReadings(look()),
    slots: () => slotReadings(look()),
    process_resident_bytes: () => residentReadings(look()),
    redispatched_total: () => counters.redispatched,
  });
}

function processReadings({ desired, handles }: SupervisorSnapshot): Reading[] {
  return Object.entries(countProcesses(desired, handles)).map(([state, value]) => ({ labels: { state }, value }));
}

/** All from the beginning, so that the first death shows as an increase. */
function endReadings({ ends }: SupervisorSnapshot): Reading[] {
  return [...DEATH_CAUSES, ...REPLACE_CAUSES].map((cause) => ({ labels: { cause }, value: ends.get(cause) ?? 0 }));
}

function slotReadings({ handles, threads }: SupervisorSnapshot): Reading[] {
  const { busy, idle, booting } = countSlots(handles, threads);
  return Object.entries({ busy, idle, booting }).map(([state, value]) => ({ labels: { state }, value }));
}

function residentReadings({ handles }: SupervisorSnapshot): Reading[] {
  return handles.flatMap(({ place, residentBytes }) =>
    residentBytes === undefined ? [] : [{ labels: { place: String(place) }, value: residentBytes }],
  );
}
