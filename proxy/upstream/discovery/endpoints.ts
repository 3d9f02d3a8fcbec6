// Where the requests for a Service may go, by its EndpointSlices. Pure.
import type { Condition, Slice } from './slice.ts';

/** As many as the configuration document may name. */
export const MAX_ENDPOINTS = 10_000;

export interface Endpoints {
  /** `ip:port`, `[ipv6]:port`; sorted, none twice. */
  readonly addresses: readonly string[];
  /** They are being deleted; nobody else is there. */
  readonly leaving: boolean;
  /** Parts of the slices that were no endpoint or port, and endpoints beyond `MAX_ENDPOINTS`. */
  readonly ignored: number;
}

/**
 * The ready ones; when there is none, those that are being deleted and still serve, as kube-proxy does (KEP-1669): better
 * than nobody. What is in neither list gets no new request and finishes what it has.
 * @param port name of the port in the slices; a slice without it has no endpoint
 */
export function makeEndpoints(slices: Iterable<Slice>, port: string): Endpoints {
  const conditions = new Map<string, Condition>();
  let ignored = 0;
  for (const slice of slices) {
    ignored += slice.ignored;
    const number = slice.ports.find(({ name }) => name === port)?.port;
    if (number === undefined) continue;
    for (const { ip, condition } of slice.endpoints) note(conditions, addressOf(ip, number), condition);
  }
  const ready = withCondition(conditions, 'ready');
  const all = ready.length > 0 ? ready : withCondition(conditions, 'leaving');
  const addresses = all.slice(0, MAX_ENDPOINTS);
  return {
    addresses,
    leaving: ready.length === 0 && addresses.length > 0,
    ignored: ignored + all.length - addresses.length,
  };
}

/**
 * While an endpoint moves between slices it stands in two of them, one of them out of date. Nothing comes back from being
 * deleted, so that is believed; otherwise ready is: one that does not answer is noticed at the first request.
 */
const RANK: Readonly<Record<Condition, number>> = { unready: 0, ready: 1, leaving: 2, gone: 3 };

function note(conditions: Map<string, Condition>, address: string, condition: Condition): void {
  const known = conditions.get(address);
  if (known === undefined || RANK[condition] > RANK[known]) conditions.set(address, condition);
}

function addressOf(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function withCondition(conditions: ReadonlyMap<string, Condition>, wanted: Condition): string[] {
  return [...conditions]
    .filter(([, condition]) => condition === wanted)
    .map(([address]) => address)
    .sort();
}
