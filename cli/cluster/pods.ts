// Pods and events as the commands show them. What the API server gives is checked: only what is understood is kept. Pure.
import { z } from 'zod';
import type { EventSight, PodSight } from '../show/sight.ts';
import { LABEL } from './kinds.ts';

const containerSchema = z.object({
  restartCount: z.number().catch(0),
  state: z.object({ waiting: z.object({ reason: z.string() }).optional() }).catch({}),
});

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).catch({}),
    creationTimestamp: z.string().catch(''),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ nodeName: z.string().catch('') }).catch({ nodeName: '' }),
  status: z
    .object({
      phase: z.string().catch('Unknown'),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).catch([]),
      initContainerStatuses: z.array(containerSchema).catch([]),
      containerStatuses: z.array(containerSchema).catch([]),
    })
    .catch({ phase: 'Unknown', conditions: [], initContainerStatuses: [], containerStatuses: [] }),
});

export interface ClusterPod extends PodSight {
  /** Name of its WebApp. */
  readonly webApp: string;
  /** Its programs may be asked. */
  readonly isRunning: boolean;
}

/** @param at milliseconds since the epoch. @returns undefined for what is no pod of a WebApp */
export function readPod(raw: unknown, at: number): ClusterPod | undefined {
  const parsed = podSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const component = (['worker', 'proxy', 'migrate'] as const).find((one) => one === metadata.labels[LABEL.component]);
  const webApp = metadata.labels[LABEL.webApp];
  if (component === undefined || webApp === undefined) return undefined;
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  const isReady = status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  const isLeaving = metadata.deletionTimestamp !== undefined;
  const waiting = containers.flatMap(({ state }) => state.waiting?.reason ?? [])[0];
  return {
    webApp,
    name: metadata.name,
    component,
    state: isLeaving
      ? 'leaving'
      : isReady
        ? 'ready'
        : (waiting ?? (status.phase === 'Running' ? 'not ready' : status.phase)),
    isReady: isReady && !isLeaving,
    isRunning: status.phase === 'Running',
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ageMs: agoMs(metadata.creationTimestamp, at),
    node: spec.nodeName,
    revision: metadata.labels[LABEL.revision] ?? '',
  };
}

const eventSchema = z.object({
  type: z.string().catch(''),
  reason: z.string().catch(''),
  message: z.string().catch(''),
  count: z.number().optional().catch(undefined),
  series: z.object({ count: z.number(), lastObservedTime: z.string() }).optional().catch(undefined),
  lastTimestamp: z.string().nullish().catch(undefined),
  eventTime: z.string().nullish().catch(undefined),
  metadata: z.object({ creationTimestamp: z.string().catch('') }).catch({ creationTimestamp: '' }),
});

/** @returns the latest first */
export function readEvents(raw: readonly unknown[], at: number): EventSight[] {
  return raw
    .flatMap((one): EventSight[] => {
      const parsed = eventSchema.safeParse(one);
      if (!parsed.success) return [];
      const { type, reason, message, count, series, lastTimestamp, eventTime, metadata } = parsed.data;
      const last = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
      return [{ agoMs: agoMs(last, at), type, reason, message, times: series?.count ?? count ?? 1 }];
    })
    .toSorted((a, b) => a.agoMs - b.agoMs);
}

function agoMs(time: string, at: number): number {
  const then = Date.parse(time);
  return Number.isNaN(then) ? 0 : Math.max(0, at - then);
}
