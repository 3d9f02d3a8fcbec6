// What the front door counts: plain integers on the path of a request, read by Prometheus when it asks.
import { Counter, Gauge, type Registry } from 'prom-client';

/** Written by the door alone. */
export interface DoorCounters {
  /** Connections let in since the start. */
  connections: number;
  /** Fields dropped because their name holds `_`. */
  headersDropped: number;
}

/**
 * Registers `connections` (gauge), `connections_total` and `headers_dropped_total`.
 * @param prefix such as `webapp_proxy_`
 */
export function registerDoorMetrics(
  registry: Registry,
  prefix: string,
  door: { readonly openConnections: number; readonly counters: Readonly<DoorCounters> },
): void {
  const { counters } = door;
  new Gauge({
    name: `${prefix}connections`,
    help: 'Client connections that are open.',
    registers: [registry],
    collect() {
      this.set(door.openConnections);
    },
  });
  const count = (name: string, help: string, read: () => number): void => {
    new Counter({
      name: `${prefix}${name}`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  count('connections_total', 'Client connections that were let in.', () => counters.connections);
  count('headers_dropped_total', 'Request header fields dropped: their name holds "_".', () => counters.headersDropped);
}
