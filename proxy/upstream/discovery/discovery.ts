// Endpoints that are found rather than told: the EndpointSlices of Services, watched for the groups of the configuration that
// ask for it. What was found last is kept while the API server is away. Light until it is used: kube/ comes with the first watch.
import type { Registry } from 'prom-client';
import type { Clock } from '../../../core/clock.ts';
import type { ProxyConfig } from '../../../core/config/proxy.ts';
import type { Log } from '../../../core/log.ts';
import type { ProxyStatus } from '../../../core/status/proxy.ts';
import type { ApiServer } from '../../api-server.ts';
import { type Endpoints, makeEndpoints } from './endpoints.ts';
import type { SliceWatch, SliceWatcher } from './slice-watch.ts';

export type DiscoverTarget = NonNullable<ProxyConfig['groups'][number]['discover']>;
export type DiscoveryState = NonNullable<ProxyStatus['groups'][number]['discovery']>;

export interface DiscoveryOptions {
  readonly apiServer: ApiServer;
  /** Some endpoints have changed: ask `addressesOf` again. Never called before `want` has returned. */
  readonly onChange: () => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly registry: Registry;
}

/** Events of a rollout come in bursts: one look at the slices for all that come in this time. */
const GATHER_MS = 20;
/** A look at thousands of endpoints costs tens of milliseconds: looks get a tenth of the time, and still nobody waits for a second. */
const GATHER_COST = 10;
const LONGEST_GATHER_MS = 500;
const NOTHING: Endpoints = { addresses: [], leaving: false, ignored: 0 };

interface Found {
  readonly target: DiscoverTarget;
  endpoints: Endpoints;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  /** By namespace and name of the Service. */
  readonly #services = new Map<string, WatchedService>();
  /** By Service and port. */
  #found = new Map<string, Found>();
  #watcher: Promise<SliceWatcher> | null = null;
  #closed = false;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Begins what is new among `targets`, ends what is not among them any more, and leaves the others alone. */
  want(targets: readonly DiscoverTarget[]): void {
    const services = new Map(targets.map((target) => [serviceKey(target), target]));
    for (const [key, service] of this.#services) {
      if (services.has(key)) continue;
      this.#services.delete(key);
      service.close();
    }
    for (const [key, target] of services) {
      if (!this.#services.has(key)) this.#begin(key, target);
    }
    this.#found = new Map(targets.map((target) => [targetKey(target), { target, endpoints: this.#look(target) }]));
  }

  /** @returns none before the first answer of the API server */
  addressesOf(target: DiscoverTarget): readonly string[] {
    return (this.#found.get(targetKey(target))?.endpoints ?? NOTHING).addresses;
  }

  stateOf(target: DiscoverTarget): DiscoveryState {
    const service = this.#services.get(serviceKey(target));
    const trouble = service?.slices?.trouble ?? null;
    return { ...target, synced: service?.synced ?? false, ...(trouble !== null && { stale: trouble }) };
  }

  /** Ends all watches; what was found stays. Twice is safe. */
  close(): void {
    this.#closed = true;
    for (const service of this.#services.values()) service.close();
    void this.#watcher?.then(
      (watcher) => watcher.close(),
      () => {},
    );
  }

  #begin(key: string, target: DiscoverTarget): void {
    const service = new WatchedService(() => this.#onChange(key), this.#options.clock);
    this.#services.set(key, service);
    this.#watcher ??= this.#loadWatcher();
    this.#watcher.then(
      (watcher) => service.begin(watcher, target),
      (error: unknown) => this.#options.log.error('no endpoints can be found', { code: 'INTERNAL', reason: error }),
    );
  }

  async #loadWatcher(): Promise<SliceWatcher> {
    const { SliceWatcher } = await import('./slice-watch.ts');
    const watcher = new SliceWatcher(this.#options);
    if (this.#closed) watcher.close();
    return watcher;
  }

  #onChange(key: string): void {
    const changed = [...this.#found.values()].filter(({ target }) => serviceKey(target) === key && this.#renew(target));
    if (changed.length > 0) this.#options.onChange();
  }

  /** @returns whether the addresses are other ones now */
  #renew(target: DiscoverTarget): boolean {
    const found = this.#found.get(targetKey(target));
    const endpoints = this.#look(target);
    if (found === undefined) return false;
    const { endpoints: before } = found;
    found.endpoints = endpoints;
    this.#tell(target, before, endpoints);
    return !isSame(before.addresses, endpoints.addresses);
  }

  #look(target: DiscoverTarget): Endpoints {
    const service = this.#services.get(serviceKey(target));
    return service?.synced && service.slices ? makeEndpoints(service.slices.slices(), target.port) : NOTHING;
  }

  /** What a person wants to find in the log: that there is nobody, that there is somebody again, and what makes no sense. */
  #tell(target: DiscoverTarget, before: Endpoints, now: Endpoints): void {
    const { log } = this.#options;
    const count = now.addresses.length;
    if (now.ignored > 0 && now.ignored !== before.ignored)
      log.warn('parts of EndpointSlices are ignored', { ...target, ignored: now.ignored });
    if ((count === 0) === (before.addresses.length === 0) && now.leaving === before.leaving) return;
    if (count === 0) log.warn('no endpoint is there', { ...target });
    else if (now.leaving) log.warn('all endpoints are being deleted', { ...target, endpoints: count });
    else log.info('endpoints are there', { ...target, endpoints: count });
  }
}

/** The watch of one Service: not there before kube/ is loaded; its news gathered. */
class WatchedService {
  slices: SliceWatch | null = null;
  /** The first list has come, and whoever heard of it has been told what is in it. */
  synced = false;
  readonly #onChange: () => void;
  readonly #clock: Clock;
  #gathering: NodeJS.Timeout | null = null;
  #gatherMs = GATHER_MS;
  #closed = false;

  constructor(onChange: () => void, clock: Clock) {
    this.#onChange = onChange;
    this.#clock = clock;
  }

  begin(watcher: SliceWatcher, { namespace, service }: DiscoverTarget): void {
    if (!this.#closed) this.slices = watcher.watch(namespace, service, () => this.#gather());
  }

  /** The first event of a burst begins the wait, the later ones do not lengthen it. */
  #gather(): void {
    if (this.#closed) return;
    this.#gathering ??= setTimeout(() => this.#tell(), this.#gatherMs);
  }

  #tell(): void {
    const began = this.#clock.now();
    this.#gathering = null;
    this.synced = this.slices?.synced ?? false;
    this.#onChange();
    const wantedMs = GATHER_COST * (this.#clock.now() - began);
    this.#gatherMs = Math.min(LONGEST_GATHER_MS, Math.max(GATHER_MS, wantedMs));
  }

  close(): void {
    this.#closed = true;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.slices?.close();
  }
}

function serviceKey({ namespace, service }: DiscoverTarget): string {
  return `${namespace}/${service}`;
}

function targetKey(target: DiscoverTarget): string {
  return `${serviceKey(target)}/${target.port}`;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address, i) => address === b[i]);
}
