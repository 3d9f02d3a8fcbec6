// The connections to one Node application process: made when first needed, reused last-in first-out so that few stay warm.
// There are never more than slots in use at once. Used by slot.ts.
import type { WireConnection } from '../../../http/wire/connection.ts';

export class Connections {
  readonly #connect: () => WireConnection;
  readonly #idle: WireConnection[] = [];
  #closed = false;

  constructor(connect: () => WireConnection) {
    this.#connect = connect;
  }

  /** @returns an idle connection, or a new one (its `exchanges` are 0) */
  take(): WireConnection {
    for (let wire = this.#idle.pop(); wire !== undefined; wire = this.#idle.pop()) {
      wire.onIdleClose = null;
      if (wire.usable) return wire;
      wire.destroy();
    }
    return this.#connect();
  }

  /** Takes back a connection that may carry another exchange. */
  give(wire: WireConnection): void {
    wire.onDrain = null;
    if (this.#closed || !wire.usable) {
      wire.destroy();
      return;
    }
    wire.onIdleClose = () => this.#forget(wire);
    this.#idle.push(wire);
  }

  #forget(wire: WireConnection): void {
    const index = this.#idle.indexOf(wire);
    if (index >= 0) this.#idle.splice(index, 1);
    wire.destroy();
  }

  close(): void {
    this.#closed = true;
    for (const wire of this.#idle.splice(0)) {
      wire.onIdleClose = null;
      wire.destroy();
    }
  }
}
