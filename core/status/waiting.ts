// When requests wait too long for a free process, and what to do about it: one measure for the status of a WebApp, page, alert and runbook.

/** What users feel of a wait, in milliseconds. */
export const LONG_WAIT_MS = 500;

/** The field of the spec to look at, and the mend. */
export const WAIT_MEND = {
  field: 'spec.workers.processes',
  mend: 'raise it (it is applied in place), or make what the processes serve faster',
} as const;
