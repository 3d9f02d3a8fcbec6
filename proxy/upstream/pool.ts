// The kept connections to one endpoint, the last used first: the others grow old and are closed, so that the pool shrinks
// with the load. Holds idle connections only; one in use belongs to its call.
import type { ListenAddress } from '../../http/address.ts';
import { connectWire, type WireConnection } from '../../http/wire/connection.ts';

export interface PoolLimits {
  /** How long a connection may idle, milliseconds: shorter than the worker's own limit, or the worker closes it first. */
  readonly idleMs: number;
  /** Idle connections kept. */
  readonly maxIdle: number;
}

export class Pool {
  readonly #address: ListenAddress;
  readonly #limits: PoolLimits;
  /** Oldest first. */
  readonly #idle: WireConnection[] = [];
  #closed = false;

  constructor(address: ListenAddress, limits: PoolLimits) {
    this.#address = address;
    this.#limits = limits;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** @returns the connection that was used last, undefined when there is none, or all are too old */
  take(): WireConnection | undefined {
    const connection = this.#idle.pop();
    if (connection === undefined) return undefined;
    connection.onIdleClose = null;
    if (performance.now() - connection.idleSince < this.#limits.idleMs) return connection;
    // All others have idled for longer.
    connection.destroy();
    this.#closeAll();
    return undefined;
  }

  /** A new connection, not yet standing. It is the caller's until `give`. */
  open(connectMs: number): WireConnection {
    return connectWire(this.#address, { connectMs });
  }

  /** Takes back a connection without an exchange. */
  give(connection: WireConnection): void {
    connection.onDrain = null;
    connection.onConnect = null;
    if (this.#closed || !connection.usable || this.#idle.length >= this.#limits.maxIdle) {
      connection.onIdleClose = null;
      connection.destroy();
      return;
    }
    connection.onIdleClose = () => this.#forget(connection);
    this.#idle.push(connection);
  }

  /** Closes what has idled for too long. */
  trim(now: number): void {
    while (this.#idle[0] !== undefined && now - this.#idle[0].idleSince >= this.#limits.idleMs) {
      const connection = this.#idle.shift();
      if (connection !== undefined) discard(connection);
    }
  }

  /** Keeps nothing from now on. Twice is safe. */
  close(): void {
    this.#closed = true;
    this.#closeAll();
  }

  /** The endpoint is wanted again after `close`. */
  reopen(): void {
    this.#closed = false;
  }

  #closeAll(): void {
    for (const connection of this.#idle.splice(0)) discard(connection);
  }

  #forget(connection: WireConnection): void {
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}

function discard(connection: WireConnection): void {
  connection.onIdleClose = null;
  connection.destroy();
}
