// A real Kubernetes control plane on loopback, made in seconds and thrown away: etcd and kube-apiserver; the controllers and the
// scheduler when asked; kwok for nodes and pods that become Ready without running anything. For tests and `npm run cluster`.
// The processes are children of the caller and end with it, whichever way it ends.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Access } from '../../kube/transport.ts';
import { accessByCertificate, accessByToken, makeToken } from './access.ts';
import { type Api, makeApi } from './api.ts';
import { buildProgram, type ProgramName } from './build.ts';
import { type Daemon, type Daemons, startDaemons } from './daemons.ts';
import { compactEtcd } from './etcd.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, type Place, schedulerFlags } from './flags.ts';
import { type Kubectl, makeKubectl } from './kubectl.ts';
import { parseMetric, type Sample } from './metrics.ts';
import { type NodeOptions, startNodes } from './nodes.ts';
import { type Certificate, makePki, writeKubeconfig } from './pki.ts';
import { freePorts } from './ports.ts';
import { until, untilReady } from './until.ts';

export { whyNoCluster } from './build.ts';
export { until } from './until.ts';

export interface ClusterOptions {
  /** kube-controller-manager (all its usual controllers) and kube-scheduler too. Default: when kwok is asked for. */
  readonly controllers?: boolean;
  readonly kwok?: NodeOptions;
}

export interface Cluster {
  readonly server: URL;
  /** Path of a kubeconfig with everything inside: an administrator. */
  readonly kubeconfig: string;
  /** The administrator's access, by client certificate. The same object every time. */
  access(): Access;
  /**
   * Access as this service account, which is made if it is not there, by a token of 8 hours: what RBAC grants it, and no more.
   */
  accessFor(namespace: string, serviceAccount: string): Promise<Access>;
  /** Calls as the administrator. */
  readonly api: Api;
  readonly kubectl: Kubectl;
  /** As `kubectl`. @returns stdout. @throws Error with stderr when it fails */
  kubectlOk(...call: Parameters<Kubectl>): Promise<string>;
  /** @returns its name, never used before; with controllers, once pods can be made in it */
  makeNamespace(labels?: Readonly<Record<string, string>>): Promise<string>;
  /** SIGKILL: connections break in the middle. */
  killApiServer(): Promise<void>;
  /** On the same port. Resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** SIGTERM, wait, start. */
  restartApiServer(): Promise<void>;
  /**
   * Makes etcd forget all older revisions. The API server's own watch cache still answers some; after `restartApiServer` it is
   * empty, and a watch from before is told 410. @returns the revision compacted at
   */
  compactEtcd(): Promise<number>;
  /** @returns the samples of one metric of the API server, such as `apiserver_request_total` */
  metric(name: string): Promise<Sample[]>;
  /** @returns requests of these verbs (`POST`, `APPLY`, `PATCH`, `PUT`, `DELETE`, `LIST`, …) counted so far, all when none is named */
  requestCount(filter?: { verbs?: readonly string[]; resource?: string; group?: string }): Promise<number>;
  /** Names and pids, for tests that kill one. */
  processes(): { readonly name: string; readonly pid: number }[];
  /** Where everything lies until close. */
  readonly folder: string;
  /** Ends everything and removes its folder. Twice is safe. */
  close(): Promise<void>;
}

/** A server with watches open takes its time to leave; they were told to end by then. */
const SHUTDOWN_PATIENCE_MS = 1500;
/**
 * Builds what is not built yet (minutes, once), starts, and resolves when the API server is ready, and, when asked for, the controllers
 * work and the nodes are Ready.
 * @throws Error that says why, with the last lines of the log of what did not start; nothing is left then
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const wantsControllers = options.controllers ?? options.kwok !== undefined;
  const programs = await buildAll(options.kwok !== undefined);
  const daemons = startDaemons();
  try {
    const place = await makePlace(daemons.folder);
    const admin = place.pki.client('test-admin', 'system:masters');
    const cluster = makeCluster(daemons, programs, place, admin);
    await startEtcd(daemons, programs, place);
    await cluster.startApiServer();
    if (wantsControllers) await startControllers(daemons, programs, place, cluster);
    if (programs.kwok && options.kwok)
      await startNodes(daemons, programs.kwok, cluster.kubeconfig, cluster.api, options.kwok);
    return cluster;
  } catch (error) {
    await daemons.close();
    throw error;
  }
}

type Programs = Readonly<Partial<Record<ProgramName, string>>>;

async function buildAll(withKwok: boolean): Promise<Programs> {
  return {
    etcd: await buildProgram('etcd'),
    kubernetes: await buildProgram('kubernetes'),
    ...(withKwok && { kwok: await buildProgram('kwok') }),
  };
}

async function makePlace(folder: string): Promise<Place> {
  const [etcdPort = 0, etcdPeerPort = 0, serverPort = 0] = await freePorts(3);
  return { folder, etcdPort, etcdPeerPort, serverPort, pki: makePki(folder) };
}

async function startEtcd(daemons: Daemons, programs: Programs, place: Place): Promise<void> {
  const etcd = daemons.start(programPath(programs, 'etcd', 'etcd'), etcdFlags(place));
  await untilReady(etcd, 'answers', async () => (await fetch(`http://127.0.0.1:${place.etcdPort}/health`)).ok);
}

/** They work once the namespace `default` has its service account: no pod can be made before. */
async function startControllers(daemons: Daemons, programs: Programs, place: Place, cluster: Cluster): Promise<void> {
  const kubeconfigOf = (user: string): string =>
    writeKubeconfig(
      join(place.folder, `${user.slice(user.indexOf(':') + 1)}.kubeconfig`),
      cluster.server,
      place.pki,
      place.pki.client(user),
    );
  const manager = daemons.start(
    programPath(programs, 'kubernetes', 'kube-controller-manager'),
    controllerManagerFlags(place, kubeconfigOf('system:kube-controller-manager')),
  );
  const scheduler = daemons.start(
    programPath(programs, 'kubernetes', 'kube-scheduler'),
    schedulerFlags(kubeconfigOf('system:kube-scheduler')),
  );
  await untilReady(manager, 'makes service accounts', () => hasServiceAccount(cluster.api, 'default'));
  // It serves nothing to ask, and ends at once when something is wrong with it.
  await untilReady(scheduler, 'runs', async () => scheduler.ended() === undefined);
}

const hasServiceAccount = async (api: Api, namespace: string): Promise<boolean> =>
  (await api.call('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)).status === 200;

function makeCluster(daemons: Daemons, programs: Programs, place: Place, admin: Certificate): Cluster {
  const server = new URL(`https://127.0.0.1:${place.serverPort}`);
  const kubeconfig = writeKubeconfig(join(place.folder, 'admin.kubeconfig'), server, place.pki, admin);
  const api = makeApi(server, place.pki.caFile, admin);
  const adminAccess = accessByCertificate(server, place.pki.caFile, admin);
  const kubectl = makeKubectl(programPath(programs, 'kubernetes', 'kubectl'), kubeconfig, place.folder);
  let apiServer: Daemon | undefined;
  let hasControllers = false;

  const stopApiServer = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await apiServer?.stop(signal, SHUTDOWN_PATIENCE_MS);
    apiServer = undefined;
  };
  const startApiServer = async (): Promise<void> => {
    apiServer ??= daemons.start(programPath(programs, 'kubernetes', 'kube-apiserver'), apiServerFlags(place));
    await untilReady(apiServer, 'is ready', async () => (await api.call('GET', '/readyz')).status === 200);
  };
  const metric = async (name: string): Promise<Sample[]> => parseMetric((await api.call('GET', '/metrics')).text, name);

  return {
    server,
    kubeconfig,
    api,
    folder: place.folder,
    access: () => adminAccess,
    accessFor: async (namespace, serviceAccount) =>
      accessByToken(server, place.pki.caFile, await makeToken(api, namespace, serviceAccount)),
    kubectl,
    kubectlOk: async (args, options) => {
      const { code, stdout, stderr } = await kubectl(args, options);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
      return stdout;
    },
    makeNamespace: async (labels) => {
      hasControllers ||= await hasServiceAccount(api, 'default');
      return makeNamespace(api, hasControllers, labels);
    },
    startApiServer,
    killApiServer: () => stopApiServer('SIGKILL'),
    restartApiServer: async () => {
      await stopApiServer('SIGTERM');
      await startApiServer();
    },
    compactEtcd: () => compactEtcd(`http://127.0.0.1:${place.etcdPort}`),
    metric,
    requestCount: async ({ verbs, resource, group } = {}) =>
      (await metric('apiserver_request_total'))
        .filter(
          ({ labels }) =>
            (verbs?.includes(labels['verb'] ?? '') ?? true) &&
            (resource === undefined || labels['resource'] === resource) &&
            (group === undefined || labels['group'] === group),
        )
        .reduce((sum, { value }) => sum + value, 0),
    processes: () => daemons.running().map(({ name, pid }) => ({ name, pid })),
    close: () => daemons.close(),
  };
}

function programPath(programs: Programs, program: ProgramName, name: string): string {
  const folder = programs[program];
  if (folder === undefined) throw new Error(`${program} was not built`);
  return join(folder, name);
}

async function makeNamespace(
  api: Api,
  hasControllers: boolean,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  await api.json('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  if (hasControllers) await until(`a service account in ${name}`, () => hasServiceAccount(api, name));
  return name;
}
