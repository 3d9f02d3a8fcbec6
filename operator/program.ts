// The running operator: caches, leader election, passes and admin port, put together and kept in step. Started by main.ts; decides nothing
// about a single WebApp. Every replica keeps its caches warm; only the leader reconciles.
import { Registry } from 'prom-client';
import { GROUP } from '../core/app/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { formatAddress } from '../http/address.ts';
import { type Admin, openAdmin } from '../http/admin.ts';
import { registerProcessMetrics } from '../http/process-metrics.ts';
import { makeClient } from '../kube/client.ts';
import { type Controller, makeController } from '../kube/controller.ts';
import { type EventRecorder, makeEventRecorder } from '../kube/events.ts';
import { type LeaderElection, leaseTransport, makeLeaderElection } from '../kube/leader.ts';
import { makeNamedObjects, type NamedObjects } from '../kube/named.ts';
import type { KubeObject } from '../kube/object.ts';
import { makeQueue, type WorkQueue } from '../kube/queue.ts';
import { type Access, makeTransport, type Transport } from '../kube/transport.ts';
import { LivePages } from '../live/live-pages.ts';
import { addLiveRoutes, type RouteOptions } from '../live/routes.ts';
import type { Flags } from './flags.ts';
import { makeLiveSource } from './live-source.ts';
import { readProxy, readWorker } from './webapp/ask-pod.ts';
import { Caches } from './webapp/caches.ts';
import { certificateTimes, extractCertificate } from './webapp/certificate.ts';
import { SECRET } from './webapp/kinds.ts';
import { type Certificate, registerWebAppMetrics } from './webapp/metrics.ts';
import { FIELD_MANAGER } from './webapp/names.ts';
import { makeReconcile } from './webapp/reconcile.ts';
import { certificateSecretOf } from './webapp/render/render.ts';
import { makePodReports, type PodReports } from './webapp/reports.ts';

export interface ProgramOptions {
  readonly flags: Flags;
  readonly access: Access;
  /** Unique to this process. */
  readonly identity: string;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The operator cannot go on (its Lease is another's): the process is to end, so that nothing is written twice. */
  readonly onFatal: (reason: string) => void;
}

const LEASE = 'webapp-operator';
const METRIC_PREFIX = 'webapp_operator';
/** An optional CRD may be installed later. */
const DISCOVERY_MS = 60_000;
/** How long passes in work may take at the end. */
const GRACE_MS = 20_000;

export class Program {
  readonly #options: ProgramOptions;
  readonly #registry = new Registry();
  readonly #transport: Transport;
  readonly #leaseTransport: Transport;
  readonly #caches: Caches;
  readonly #queue: WorkQueue;
  readonly #named: NamedObjects;
  readonly #reports: PodReports;
  readonly #events: EventRecorder;
  readonly #live: LivePages | undefined;
  readonly #controller: Controller;
  readonly #leader: LeaderElection | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  #admin: Admin | undefined;
  #stopping: Promise<void> | undefined;
  #isLeading = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
    const { flags, access, identity, version, log, clock } = options;
    const registry = this.#registry;
    const common = { access, log, clock, userAgent: `webapp-operator/${version}`, registry };
    this.#transport = makeTransport(common);
    this.#leaseTransport = makeTransport({ ...common, connections: 1 });
    const client = makeClient({
      transport: this.#transport,
      fieldManager: FIELD_MANAGER,
      registry,
      metricPrefix: METRIC_PREFIX,
    });
    this.#queue = makeQueue({ name: 'webapp', clock, registry });
    const enqueue = (key: string): void => this.#queue.add(key);
    this.#caches = new Caches({
      transport: this.#transport,
      namespaces: flags.namespaces,
      log,
      clock,
      registry,
      onChange: (key, initial) => this.#queue.add(key, { priority: initial ? 'background' : 'live' }),
    });
    this.#named = makeNamedObjects({ transport: this.#transport, log, clock, extract: extractCertificate });
    this.#named.onChange(enqueue);
    this.#reports = makePodReports({ log, clock, quietMs: flags.statusIntervalMs });
    this.#reports.onChange(enqueue);
    this.#events = makeEventRecorder({ client, controller: `${GROUP}/operator`, instance: identity, log, clock });
    this.#controller = makeController({
      name: 'webapp',
      queue: this.#queue,
      reconcile: makeReconcile({
        caches: this.#caches,
        named: this.#named,
        reports: this.#reports,
        events: this.#events,
        settings: flags.settings,
        client,
        log,
        clock,
      }),
      concurrency: flags.concurrency,
      log,
      clock,
      registry,
    });
    this.#leader = this.#makeLeader();
    registerWebAppMetrics(registry, {
      webApps: () => this.#caches.webApps(),
      certificateOf: (webApp) => this.#certificateOf(webApp),
      isLeading: () => this.#isLeading,
      log,
    });
    if (flags.live !== 'off') {
      const source = makeLiveSource({ caches: this.#caches, askWorker: readWorker, askProxy: readProxy });
      this.#live = new LivePages({ source, clock });
    }
  }

  /** Resolves once the admin port is open; the rest goes on by itself. @throws AddressError */
  async start(): Promise<void> {
    const { flags, log } = this.#options;
    registerProcessMetrics(this.#registry);
    this.#admin = await openAdmin(flags.admin, {
      healthy: () => this.#caches.health() ?? this.#named.health(),
      ready: () => (this.#caches.hasSynced() ? null : 'the first lists are not complete'),
      status: () => this.#status(),
      metrics: this.#registry,
      routes: (app) => this.#live && addLiveRoutes(app, this.#live, liveOptions(flags)),
    });
    log.info('listening', { admin: formatAddress(this.#admin.address) });
    await this.#refreshApis();
    this.#caches.start();
    void this.#caches.synced().then(() => this.#begin());
  }

  /** Finishes what is in work, gives the Lease back. Twice is safe. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  get adminAddress(): string {
    return this.#admin ? formatAddress(this.#admin.address) : '';
  }

  #makeLeader(): LeaderElection | undefined {
    const { flags, identity, log, clock, onFatal } = this.#options;
    if (flags.leaseNamespace === undefined) return undefined;
    return makeLeaderElection({
      client: makeClient({
        transport: leaseTransport(this.#leaseTransport),
        fieldManager: FIELD_MANAGER,
        metricPrefix: METRIC_PREFIX,
      }),
      namespace: flags.leaseNamespace,
      name: LEASE,
      identity,
      onElected: () => this.#lead(),
      onLost: (reason) => onFatal(reason),
      log,
      clock,
      registry: this.#registry,
    });
  }

  #begin(): void {
    if (this.#stopping) return;
    this.#options.log.info('caches are complete');
    this.#every(DISCOVERY_MS, () => void this.#refreshApis());
    if (this.#leader) this.#leader.start();
    else this.#lead();
  }

  #lead(): void {
    if (this.#stopping) return;
    this.#isLeading = true;
    this.#options.log.info('reconciling', { identity: this.#options.identity });
    this.#every(this.#options.flags.resyncMs, () => this.#resync());
    this.#controller.start();
  }

  #certificateOf(webApp: KubeObject): Certificate | undefined {
    const { namespace = '' } = webApp.metadata;
    const secret = certificateSecretOf(webApp);
    if (secret === undefined) return undefined;
    const times = certificateTimes(this.#named.state(SECRET, namespace, secret));
    return times && { secret, expiresAt: times.expiresAt };
  }

  #resync(): void {
    for (const key of this.#caches.webAppKeys()) this.#queue.add(key, { priority: 'background' });
  }

  /** The API server may be away: the next time will do. */
  async #refreshApis(): Promise<void> {
    try {
      if (await this.#caches.refreshApis()) this.#resync();
    } catch (error) {
      this.#options.log.warn('the optional APIs are not known', { reason: error });
    }
  }

  #every(ms: number, act: () => void): void {
    const next = (): void => {
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          act();
          next();
        },
        ms * (0.9 + 0.2 * Math.random()),
      ).unref();
      this.#timers.add(timer);
    };
    next();
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#controller.stop(GRACE_MS);
    await this.#events.close(2_000);
    await this.#leader?.stop();
    this.#live?.close();
    this.#reports.close();
    this.#named.close();
    this.#caches.close();
    this.#transport.close();
    this.#leaseTransport.close();
    await this.#admin?.close();
  }

  #status(): object {
    const { identity, version } = this.#options;
    return {
      kind: 'OperatorStatus',
      version: 1,
      program: version,
      identity,
      leader: this.#leader?.isLeader() ?? true,
      synced: this.#caches.hasSynced(),
      webApps: [...this.#caches.webAppKeys()].length,
      waiting: this.#queue.depth,
      apis: [...this.#caches.apis()],
    };
  }
}

/** A port-forward arrives from inside the pod: so whoever the cluster lets forward a port sees the page, and no pod besides. */
function liveOptions({ live, settings }: Flags): RouteOptions {
  const mend =
    'The live page is for who comes by kubectl port-forward, such as: kubectl -n webapp-operator port-forward deploy/webapp-operator 9100';
  return { hosts: ['.svc', `.svc.${settings.clusterDomain}`], ...(live === 'forwarded' && { onlyHere: mend }) };
}
