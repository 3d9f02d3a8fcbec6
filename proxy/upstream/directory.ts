// Which endpoints there are, in which groups, and which of them may be chosen. Swapped in place by each configuration: an
// endpoint that stays keeps its connections and its health, one that goes finishes what it has.
import type { ProxyConfig } from '../../core/config/proxy.ts';
import type { ProxyStatus } from '../../core/status/proxy.ts';
import { Endpoint, type EndpointOwner } from './endpoint.ts';
import { pickLessLoaded, pickWeighted, type Random } from './pick.ts';
import type { PoolLimits } from './pool.ts';

interface Group {
  readonly name: string;
  readonly weight: number;
  readonly endpoints: readonly Endpoint[];
  /** Those that requests may go to: the ready ones, or when there is none the failing ones that can be reached. */
  readonly eligible: readonly Endpoint[];
}

export class Directory implements EndpointOwner {
  connectMs = 5_000;
  readonly random: Random;
  /** Called when a request that found no endpoint may find one now. */
  onEligible: (() => void) | null = null;
  readonly #limits: PoolLimits;
  readonly #endpoints = new Map<string, Endpoint>();
  /** Removed and not finished, with the group that they were in. */
  readonly #draining = new Map<Endpoint, string>();
  #groups: readonly Group[] = [];
  /** Groups with a weight and an eligible endpoint. */
  #open: readonly Group[] = [];

  constructor(limits: PoolLimits, random: Random) {
    this.#limits = limits;
    this.random = random;
  }

  /** @throws AddressError when an address is none; nothing has changed then */
  configure(groups: ProxyConfig['groups'], connectMs: number): void {
    const known = new Map(this.#endpoints);
    const next = groups.map(({ name, weight, endpoints }) => {
      const addresses = [...new Set(endpoints.map(({ address }) => address))];
      return { name, weight, endpoints: addresses.map((address) => this.#find(address, known)), eligible: [] };
    });
    const kept = new Set(next.flatMap((group) => group.endpoints));
    const removed = this.#groups.flatMap((group) =>
      group.endpoints.filter((endpoint) => !kept.has(endpoint)).map((endpoint) => [endpoint, group.name] as const),
    );
    this.connectMs = connectMs;
    this.#groups = next;
    for (const [endpoint, group] of removed) this.#remove(endpoint, group);
    for (const endpoint of kept) this.#keep(endpoint);
    this.#sortOut();
  }

  /** @returns an endpoint to send a request to, `besides` only when it is the only one; undefined: wait */
  choose(besides: Endpoint | null): Endpoint | undefined {
    const group = pickWeighted(this.#open, this.random);
    if (group === undefined) return undefined;
    if (besides === null || group.eligible.length === 1) return pickLessLoaded(group.eligible, this.random);
    return pickLessLoaded(
      group.eligible.filter((endpoint) => endpoint !== besides),
      this.random,
    );
  }

  get hasEligible(): boolean {
    return this.#open.length > 0;
  }

  /** @returns any endpoint at all, for a request that cannot wait */
  chooseUnreachable(): Endpoint | undefined {
    return pickLessLoaded(
      this.#groups.filter((group) => group.weight > 0).flatMap((group) => group.endpoints),
      this.random,
    );
  }

  /** @returns all endpoints that no connection could be made to */
  unreachable(): Endpoint[] {
    return [...this.#endpoints.values()].filter((endpoint) => !endpoint.reachable && !endpoint.draining);
  }

  /** Closes connections that have idled for too long. */
  trim(now: number): void {
    for (const endpoint of this.#endpoints.values()) endpoint.pool.trim(now);
  }

  status(): ProxyStatus['groups'] {
    return this.#groups.map(({ name, weight, endpoints }) => ({
      name,
      weight,
      endpoints: [...endpoints, ...this.#drainingOf(name)].map((endpoint) => ({
        address: endpoint.address,
        state: endpoint.state,
        outstanding: endpoint.outstanding,
        idle: endpoint.pool.idle,
        failures: endpoint.failures,
      })),
    }));
  }

  /** Closes idle connections and timers; endpoints finish what they have. Twice is safe. */
  close(): void {
    for (const endpoint of [...this.#endpoints.values()]) endpoint.drain();
  }

  onChange(endpoint: Endpoint): void {
    if (!endpoint.draining) this.#sortOut();
  }

  onDrained(endpoint: Endpoint): void {
    this.#draining.delete(endpoint);
    this.#endpoints.delete(endpoint.address);
  }

  #find(address: string, known: Map<string, Endpoint>): Endpoint {
    const endpoint = known.get(address) ?? new Endpoint(address, this.#limits, this);
    known.set(address, endpoint);
    return endpoint;
  }

  #keep(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.address, endpoint);
    if (this.#draining.delete(endpoint)) endpoint.revive();
  }

  /** An address may stand in several groups. */
  #remove(endpoint: Endpoint, group: string): void {
    if (endpoint.draining) return;
    this.#draining.set(endpoint, group);
    endpoint.drain();
  }

  /** Shown where they were; in the first group when that is gone too. */
  #drainingOf(name: string): Endpoint[] {
    const names = new Set(this.#groups.map((group) => group.name));
    const shownIn = (was: string): string | undefined => (names.has(was) ? was : this.#groups[0]?.name);
    return [...this.#draining].filter(([, was]) => shownIn(was) === name).map(([endpoint]) => endpoint);
  }

  #sortOut(): void {
    this.#groups = this.#groups.map((group) => ({ ...group, eligible: eligibleOf(group.endpoints) }));
    const weighty = this.#groups.filter((group) => group.weight > 0 && group.eligible.length > 0);
    const ready = weighty.filter((group) => group.eligible.some((endpoint) => !endpoint.failing));
    this.#open = ready.length > 0 ? ready : weighty;
    if (this.#open.length > 0) this.onEligible?.();
  }
}

function eligibleOf(endpoints: readonly Endpoint[]): Endpoint[] {
  const ready = endpoints.filter((endpoint) => !endpoint.failing);
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.reachable);
}
