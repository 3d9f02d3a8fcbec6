// What users may suffer, in the words that page, terminal, alerts and runbooks share, and what to do about it. Why processes end has a table of its own (death-causes.ts), as has
// why single requests fail (core/errors.ts); where the status of a WebApp has a reason for a trouble, its words are that reason's.
import { REASONS } from '../app/conditions.ts';
import { WAIT_MEND } from './waiting.ts';

interface Trouble {
  /** One sentence. */
  readonly words: string;
  /** The field of the spec to look at, where it is one. */
  readonly field?: string;
  readonly mend?: string;
}

export const TROUBLES = {
  wait: { words: REASONS.Degraded.RequestsWait.meaning, ...WAIT_MEND },
  refused: {
    words: REASONS.ConfigApplied.Refused.meaning,
    mend: 'mend the manifest, it is taken when it is valid; or use versions of the programs that belong together',
  },
  /** What to do is that of the process that died last. */
  noProcess: { words: 'No application process is ready.' },
  errors: { words: 'Users see errors.', mend: 'look up the ids of requests that failed in the logs' },
  unreached: {
    words: 'The proxy does not get through to a worker.',
    mend: 'see whether its pod runs, and whether a NetworkPolicy lets the proxy in; requests go to the other workers',
  },
} as const satisfies Record<string, Trouble>;

/** Of an answer of 5xx that is no fault of core/errors.ts. */
export const ANSWERED_SO = 'The application answered so.';
