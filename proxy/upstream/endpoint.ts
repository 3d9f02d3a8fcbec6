// One worker as the proxy sees it: its kept connections, what it has to do, and whether it can be reached. Told by calls what
// they met; tells its owner when it becomes ready or failing.
import { parseAddress } from '../../http/address.ts';
import type { WireConnection, WireError } from '../../http/wire/connection.ts';
import { type Failure, holdAfter } from './health.ts';
import type { Random } from './pick.ts';
import { Pool, type PoolLimits } from './pool.ts';

/** What an endpoint is told by its owner, and tells it. */
export interface EndpointOwner {
  readonly random: Random;
  readonly connectMs: number;
  /** `state` or `reachable` of the endpoint has changed. */
  onChange(endpoint: Endpoint): void;
  /** Removed, and its last request is over. */
  onDrained(endpoint: Endpoint): void;
}

export class Endpoint {
  readonly address: string;
  readonly pool: Pool;
  /** Requests sent and not over. */
  outstanding = 0;
  /** In a row. */
  failures = 0;
  failing = false;
  draining = false;
  /** The last try to connect has succeeded, or none was made. */
  reachable = true;
  readonly #owner: EndpointOwner;
  /** The next look at a failing endpoint. */
  #timer: NodeJS.Timeout | null = null;
  #probe: WireConnection | null = null;

  /** @throws AddressError when `address` is none */
  constructor(address: string, limits: PoolLimits, owner: EndpointOwner) {
    this.address = address;
    this.pool = new Pool(parseAddress(address), limits);
    this.#owner = owner;
  }

  get state(): 'ready' | 'failing' | 'draining' {
    if (this.draining) return 'draining';
    return this.failing ? 'failing' : 'ready';
  }

  /** A connection stands. Says nothing about whether requests over it are answered. */
  noteConnected(): void {
    if (!this.reachable) this.noteAnswered();
  }

  /** An answer has come. */
  noteAnswered(): void {
    if (this.failures === 0) return;
    this.failures = 0;
    this.#becomeReady();
  }

  /**
   * An attempt has failed. A kept connection that was closed says nothing of the endpoint: it may have idled for too long; and
   * what had begun to answer was there.
   */
  noteLoss(error: WireError, began: boolean, kept: boolean): void {
    if (error === 'REFUSED' || error === 'CONNECT_TIMEOUT') this.#noteFailure('unreachable');
    else if (!began && !kept) this.#noteFailure('closed');
  }

  /**
   * Of many requests that fail together only the first counts: the wait grows with the looks that were in vain, not with the
   * traffic.
   */
  #noteFailure(failure: Failure): void {
    const { failing, reachable } = this;
    if (failure === 'unreachable') this.reachable = false;
    if (this.#timer === null) this.#countFailure(failure);
    if (failing !== this.failing || reachable !== this.reachable) this.#owner.onChange(this);
  }

  /** One request less. */
  release(): void {
    this.outstanding--;
    if (this.draining && this.outstanding === 0) this.#owner.onDrained(this);
  }

  /** Finds out whether the endpoint can be reached, at no request's cost. One try at a time. */
  probe(): void {
    if (this.#probe !== null || this.draining) return;
    const connection = this.pool.open(this.#owner.connectMs);
    this.#probe = connection;
    connection.onConnect = () => {
      this.#probe = null;
      this.pool.give(connection);
      this.noteConnected();
    };
    connection.onIdleClose = () => {
      this.#probe = null;
      this.#noteFailure('unreachable');
    };
  }

  /** Not in the configuration any more: finishes what it has. Twice is safe. */
  drain(): void {
    this.draining = true;
    this.#stopLooking();
    this.pool.close();
    if (this.outstanding === 0) this.#owner.onDrained(this);
  }

  /** In the configuration again, before it had finished. */
  revive(): void {
    this.draining = false;
    this.pool.reopen();
    if (this.failing) this.probe();
  }

  #countFailure(failure: Failure): void {
    this.failures++;
    const holdMs = holdAfter(failure, this.failures, this.#owner.random());
    if (holdMs === 0) return;
    this.failing = true;
    if (!this.draining) this.#lookAgainIn(holdMs);
  }

  #lookAgainIn(ms: number): void {
    this.#timer = setTimeout(() => this.#lookAgain(), ms).unref();
  }

  /** What could not be reached is probed; what closed its connections can only be tried by a request. */
  #lookAgain(): void {
    this.#timer = null;
    if (this.reachable) this.#becomeReady();
    else this.probe();
  }

  #becomeReady(): void {
    this.reachable = true;
    if (!this.failing) return;
    this.failing = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#owner.onChange(this);
  }

  #stopLooking(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#probe?.destroy();
    this.#probe = null;
  }
}
