// What is to be done for one WebApp: observed world and clock in; changes, status, events and requeue out. Pure: a pass can be replayed from its input.
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import type { Failure, Plan } from '../changes.ts';
import type { Observed } from '../observed.ts';

/** @param wall milliseconds since the epoch */
export declare function planWebApp(observed: Observed, wall: number): Plan;

/** Pure: `status` with what the API server refused as problems and conditions; unchanged when nothing failed. @param before the status written last, for transition times */
export declare function withFailures(
  status: WebAppStatus,
  failures: readonly Failure[],
  before: WebAppStatus | undefined,
  wall: number,
): WebAppStatus;
