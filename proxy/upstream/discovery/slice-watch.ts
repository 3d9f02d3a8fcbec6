// The EndpointSlices of Services, kept in step with the API server. The only file of the proxy that knows the insides of kube/:
// discovery.ts loads it when a configuration asks for discovery, and no sooner.
import type { Registry } from 'prom-client';
import type { Clock } from '../../../core/clock.ts';
import type { Log } from '../../../core/log.ts';
import { makeReflector, type Reflector } from '../../../kube/reflector.ts';
import { makeStore, type Sink, type Store } from '../../../kube/store.ts';
import { makeTransport, type Transport } from '../../../kube/transport.ts';
import type { ApiServer } from '../../api-server.ts';
import { accessTo } from './access.ts';
import { ENDPOINT_SLICES, readSlice, type Slice } from './slice.ts';

export interface SliceWatcherOptions {
  readonly apiServer: ApiServer;
  readonly log: Log;
  readonly clock: Clock;
  readonly registry: Registry;
}

/** Connections at most, watches not counted: a list now and then. */
const CONNECTIONS = 4;

/** One way to the API server, for all Services. */
export class SliceWatcher {
  readonly #options: SliceWatcherOptions;
  readonly #transport: Transport;

  constructor(options: SliceWatcherOptions) {
    const { apiServer, log, clock, registry } = options;
    this.#options = options;
    const access = accessTo(apiServer, clock);
    this.#transport = makeTransport({
      ...{ access, log, clock, registry },
      connections: CONNECTIONS,
      userAgent: 'webapp-proxy',
    });
  }

  /** @param onChange the slices, or what is known of them, may have changed; not called before this returns */
  watch(namespace: string, service: string, onChange: () => void): SliceWatch {
    return new SliceWatch({ ...this.#options, transport: this.#transport, namespace, service, onChange });
  }

  /** Cuts all watches. Twice is safe. */
  close(): void {
    this.#transport.close();
  }
}

/** By which the control plane marks the slices of a Service (discovery.k8s.io/v1, LabelServiceName). */
const SERVICE_LABEL = 'kubernetes.io/service-name';

interface SliceWatchOptions extends SliceWatcherOptions {
  readonly transport: Transport;
  readonly namespace: string;
  readonly service: string;
  readonly onChange: () => void;
}

/** The slices of one Service. */
export class SliceWatch {
  readonly #store: Store<Slice> & Sink;
  readonly #reflector: Reflector;

  constructor({ transport, namespace, service, onChange, log, clock, registry }: SliceWatchOptions) {
    this.#store = makeStore({ kind: ENDPOINT_SLICES.kind, keep: readSlice });
    this.#store.onChange(onChange);
    this.#reflector = makeReflector({
      ...{ transport, namespace, log, clock, registry },
      resource: ENDPOINT_SLICES,
      labelSelector: `${SERVICE_LABEL}=${service}`,
      sink: this.#store,
    });
    // An empty list changes nothing in the store, and yet it is an answer.
    void this.#reflector.synced.then(onChange);
    this.#reflector.start();
  }

  get synced(): boolean {
    return this.#reflector.hasSynced();
  }

  /** What is wrong; null: in step, or away for a moment. */
  get trouble(): string | null {
    return this.#reflector.health();
  }

  *slices(): Generator<Slice> {
    for (const key of this.#store.keys()) {
      const slice = this.#store.get(key);
      if (slice !== undefined) yield slice;
    }
  }

  /** Twice is safe. */
  close(): void {
    this.#reflector.close();
  }
}
