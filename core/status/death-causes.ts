// Why application processes end, in the words that worker, operator, page, terminal, alerts and runbooks share, and what to do about those that are a fault.
import type { DEATH_CAUSES, DeathCause } from './worker.ts';

export type FaultCause = (typeof DEATH_CAUSES)[number];

/** What a sentence goes on with after `Process 3`; details follow it. */
export const CAUSE_WORDS: Readonly<Record<DeathCause, string>> = {
  exit: 'exited by itself',
  signal: 'was killed by a signal',
  oom: 'was killed by the kernel because the container ran out of memory',
  timeout: 'was replaced because a request took too long',
  boot: 'could not start',
  'boot-timeout': 'was not ready in time',
  unhealthy: 'was replaced because it failed its health checks',
  protocol: 'was replaced because it broke the protocol',
  'max-requests': 'was replaced after its share of requests',
  'max-memory': 'was replaced because its memory grew past the limit',
  reload: 'was replaced by one that runs the newer application',
  resize: 'left because fewer processes are wanted',
  shutdown: 'left because the worker stops',
};

const LOG = 'see in its log what it wrote last, and mend the application';

/** The field of the spec to look at, and the mend. */
export const DEATH_MENDS: Readonly<Record<FaultCause, { readonly field: string; readonly mend: string }>> = {
  oom: { field: 'spec.resources.limits.memory', mend: 'raise it, or lower spec.workers.processes' },
  timeout: { field: 'spec.workers.timeout', mend: 'make what it served faster, or raise it' },
  unhealthy: { field: 'spec.health.path', mend: 'see why the application answers so there' },
  exit: { field: 'spec.app', mend: LOG },
  signal: { field: 'spec.app', mend: LOG },
  protocol: { field: 'spec.app', mend: `nothing else may write to the file descriptors of the process; ${LOG}` },
  boot: { field: 'spec.app', mend: 'mend what its last lines say; it is tried again by itself' },
  'boot-timeout': {
    field: 'spec.app',
    mend: 'do slow work after the start, not while the application is imported; it is tried again by itself',
  },
};
