// What the supervisor counts, read when Prometheus asks. The front registers its own beside them.
import { Counter, Gauge, type Registry } from 'prom-client';
import { DEATH_CAUSES, REPLACE_CAUSES } from '../core/status/worker.ts';
import type { ProcessHandle } from './handle.ts';
import { countProcesses, countSlots } from './status.ts';
import type { SupervisorSnapshot } from './supervisor.ts';

/** @param queueLength requests that wait for a free slot */
export function registerMetrics(registry: Registry, look: () => SupervisorSnapshot, queueLength: () => number): void {
  registerProcesses([registry], look);
  registerEnds([registry], look);
  registerSlots([registry], look);
  new Gauge({
    name: 'webapp_worker_queue_length',
    help: 'Requests that wait for a free slot.',
    registers: [registry],
    collect() {
      this.set(queueLength());
    },
  });
}

function registerProcesses(registers: Registry[], look: () => SupervisorSnapshot): void {
  new Gauge({
    name: 'webapp_worker_processes',
    help: 'Application processes by state; desired is how many there shall be.',
    labelNames: ['state'],
    registers,
    collect() {
      const { desired, handles } = look();
      for (const [state, count] of Object.entries(countProcesses(desired, handles))) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'webapp_worker_resident_bytes',
    help: 'Resident memory of all application processes.',
    registers,
    collect() {
      this.set(sum(look().handles, (handle) => handle.residentBytes ?? 0));
    },
  });
}

function registerEnds(registers: Registry[], look: () => SupervisorSnapshot): void {
  new Counter({
    name: 'webapp_worker_process_ends_total',
    help: 'Application processes that ended, by cause.',
    labelNames: ['cause'],
    registers,
    collect() {
      this.reset();
      const { ends } = look();
      // All from the beginning, so that the first death shows as an increase.
      for (const cause of [...DEATH_CAUSES, ...REPLACE_CAUSES]) this.inc({ cause }, ends.get(cause) ?? 0);
    },
  });
}

function registerSlots(registers: Registry[], look: () => SupervisorSnapshot): void {
  new Gauge({
    name: 'webapp_worker_slots',
    help: 'Requests that the ready processes can serve at a time, and how many they do.',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, busy } = countSlots(look().handles);
      this.set({ state: 'total' }, total);
      this.set({ state: 'busy' }, busy);
    },
  });
}

function sum(handles: readonly ProcessHandle[], of: (handle: ProcessHandle) => number): number {
  return handles.reduce((total, handle) => total + of(handle), 0);
}
