// The workers, as the configuration names them and as they are found: one set of upstreams, renewed when either says so. Owned by
// program.ts; requests go to `upstreams` past all this.
import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { ProxyConfig } from '../core/config/proxy.ts';
import type { Problem } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import { AddressError, parseAddress } from '../http/address.ts';
import type { ApiServer } from './api-server.ts';
import { Upstreams } from './upstream/client.ts';
import { Discovery } from './upstream/discovery/discovery.ts';

export interface WorkersOptions {
  /** null: there is none, and a configuration that needs one is not valid here. */
  readonly apiServer: ApiServer | null;
  readonly log: Log;
  readonly clock: Clock;
  readonly registry: Registry;
}

type Config = Pick<ProxyConfig, 'groups' | 'maintenance' | 'timeouts'>;
type Group = ProxyConfig['groups'][number];

export class Workers {
  readonly upstreams = new Upstreams();
  readonly #options: WorkersOptions;
  #config: Config | null = null;
  #discovery: Discovery | null = null;
  /** Every group that takes requests was found once. Never taken back: later groups come beside ones that serve. */
  #found = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** @returns what of a document that fits its schema cannot be followed in this place. Nothing has changed then. */
  problemsOf({ groups }: Config): Problem[] {
    const hasApiServer = this.#options.apiServer !== null;
    return groups.flatMap((group, i) => [
      ...(group.discover !== undefined && !hasApiServer ? [noApiServer(`groups[${i}].discover`)] : []),
      ...group.endpoints.flatMap(({ address }, k) => addressProblems(`groups[${i}].endpoints[${k}].address`, address)),
    ]);
  }

  /** Takes a document without problems in place. What is watched already is not watched anew. */
  configure(config: Config): void {
    this.#config = config;
    const targets = config.groups.flatMap(({ discover }) => discover ?? []);
    if (targets.length > 0) this.#discovery ??= this.#makeDiscovery();
    this.#discovery?.want(targets);
    this.#renew();
  }

  /**
   * A proxy that has not been told of its workers yet takes no requests that another could serve; it waits for as long as it
   * takes, so that a rollout of proxies that may not ask stops before the old ones are gone. One that knew them once stays
   * ready with the last known. Under maintenance nobody is needed.
   */
  whyNotReady(): string | null {
    if (this.#found || this.#config?.maintenance !== undefined) return null;
    for (const { weight, discover } of this.#config?.groups ?? []) {
      const state = weight > 0 && discover !== undefined ? this.#discovery?.stateOf(discover) : undefined;
      if (state === undefined || state.synced) continue;
      const why = state.stale === undefined ? '' : `: ${state.stale}`;
      return `waits for the EndpointSlices of ${state.namespace}/${state.service}${why}`;
    }
    this.#found = true;
    return null;
  }

  status(): ProxyStatus['groups'] {
    return this.upstreams.status().map((group, i) => {
      const target = this.#config?.groups[i]?.discover;
      const discovery = target && this.#discovery?.stateOf(target);
      return discovery === undefined ? group : { ...group, discovery };
    });
  }

  /** What is in flight finishes. Twice is safe. */
  close(): void {
    this.#discovery?.close();
    this.upstreams.close();
  }

  #makeDiscovery(): Discovery {
    const { apiServer, ...rest } = this.#options;
    if (apiServer === null) throw new Error('no API server to find workers by');
    return new Discovery({ ...rest, apiServer, onChange: () => this.#renew() });
  }

  #renew(): void {
    if (this.#config === null) return;
    const { groups, timeouts } = this.#config;
    this.upstreams.configure({ timeouts, groups: groups.map((group) => this.#withFound(group)) });
  }

  #withFound(group: Group): Group {
    if (group.discover === undefined) return group;
    const addresses = this.#discovery?.addressesOf(group.discover) ?? [];
    return { ...group, endpoints: addresses.map((address) => ({ address })) };
  }
}

function noApiServer(field: string): Problem {
  return {
    field,
    message: 'needs a Kubernetes API server, and none is known here',
    mend: 'run the proxy in a pod, add --api-server URL, or name endpoints instead',
  };
}

/** More than the schema's pattern can say, such as a port of 70000. */
function addressProblems(field: string, address: string): Problem[] {
  try {
    parseAddress(address);
    return [];
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return [{ field, value: address, message: error.reason, mend: error.mend }];
  }
}
