// The latest requests that went wrong, for people who look at a status document: which one to look up in the logs. Bounded, and
// noise of clients cannot push out what went wrong on our side.
import { MAX_RECENT_ERRORS, type RecentError } from '../core/status/traffic.ts';
import type { LoggedExchange } from './access-log.ts';

const MAX_METHOD = 20;
const MAX_TEXT = 200;

type Failed = Pick<
  LoggedExchange,
  'requestId' | 'method' | 'target' | 'status' | 'startedAt' | 'fault' | 'faultDetail'
>;

export class RecentErrors {
  /** The latest last. */
  readonly #kept: RecentError[] = [];

  /**
   * @param now `performance.now()`
   * @param wall milliseconds since the epoch
   */
  note(failed: Failed, now: number, wall: number): void {
    this.#kept.push(describe(failed, now, wall));
    if (this.#kept.length > MAX_RECENT_ERRORS) this.#kept.splice(this.#leastMissed(), 1);
  }

  /** The latest first. */
  list(): RecentError[] {
    return this.#kept.toReversed();
  }

  /** The oldest of whichever there is more of: what clients did wrong, or what we did. */
  #leastMissed(): number {
    const clients = this.#kept.filter(isOfClient).length;
    const giveUpClients = clients > MAX_RECENT_ERRORS / 2;
    return this.#kept.findIndex((error) => isOfClient(error) === giveUpClients);
  }
}

function isOfClient({ status }: RecentError): boolean {
  return status < 500;
}

function describe(failed: Failed, now: number, wall: number): RecentError {
  const { requestId, method, target, status, startedAt, fault, faultDetail = '' } = failed;
  return {
    at: wall,
    id: requestId.slice(0, MAX_TEXT),
    method: method.slice(0, MAX_METHOD),
    path: pathOf(target).slice(0, MAX_TEXT),
    status,
    ms: Math.max(0, now - startedAt),
    ...(fault !== null && { fault }),
    ...(faultDetail !== '' && { detail: faultDetail.slice(0, MAX_TEXT) }),
  };
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
