// What to do about application processes that die, by cause: the field of the spec to look at, and the mend. What happened says the worker, in `message` of its deaths.
import type { DEATH_CAUSES } from './worker.ts';

export type FaultCause = (typeof DEATH_CAUSES)[number];

const LOG = 'see in the log of its pod what it wrote last, mend the application, then name a new image';

export const DEATH_MENDS: Readonly<Record<FaultCause, { readonly field: string; readonly mend: string }>> = {
  oom: { field: 'spec.resources.limits.memory', mend: 'raise it, or lower spec.workers.processes' },
  timeout: { field: 'spec.workers.timeout', mend: 'make what it served faster, or raise it' },
  unhealthy: { field: 'spec.health.path', mend: 'see why the application answers so there' },
  exit: { field: 'spec.app', mend: LOG },
  signal: { field: 'spec.app', mend: LOG },
  protocol: { field: 'spec.app', mend: `nothing else may write to the file descriptors of the process; ${LOG}` },
  boot: { field: 'spec.app', mend: 'mend what the last lines say; the processes that run keep serving' },
  'boot-timeout': {
    field: 'spec.app',
    mend: 'do slow work after the start, not while the application is imported; the processes that run keep serving',
  },
};
