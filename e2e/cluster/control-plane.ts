// A real Kubernetes control plane on loopback, made in seconds and thrown away: etcd and kube-apiserver; the controllers and the
// scheduler when asked; kwok for nodes and pods that become Ready without running anything. For tests and `npm run cluster`.
// The processes are children of the caller and end with it, whichever way it ends.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from '../../kube/transport.ts';
import { type Api, makeApi } from './api.ts';
import { buildProgram, type ProgramName } from './build.ts';
import { type Daemon, type Daemons, startDaemons } from './daemons.ts';
import { compactEtcd } from './etcd.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, kwokFlags, type Place, schedulerFlags } from './flags.ts';
import { type Certificate, makePki, writeKubeconfig } from './pki.ts';
import { freePorts } from './ports.ts';

export { whyNoCluster } from './build.ts';

export interface ClusterOptions {
  /** kube-controller-manager (all its usual controllers) and kube-scheduler too. Default: when kwok is asked for. */
  readonly controllers?: boolean;
  readonly kwok?: {
    readonly nodes: number;
    /** Where pods get their addresses from. Default 10.0.0.0/16. */
    readonly podCidr?: string;
    /** Of each node. Default: 32 CPU, 256Gi, 1000 pods. */
    readonly capacity?: Readonly<Record<string, string>>;
    /** YAML of kwok Stages in place of those that make every pod Ready at once and end every pod of a Job with success. */
    readonly podStages?: string;
  };
}

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One sample of /metrics. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
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
  /** @param options.input for `-f -`. @param options.as user to impersonate, such as `system:serviceaccount:shop:default` */
  kubectl(args: readonly string[], options?: { input?: string; as?: string }): Promise<KubectlResult>;
  /** As `kubectl`. @returns stdout. @throws Error with stderr when it fails */
  kubectlOk(args: readonly string[], options?: { input?: string; as?: string }): Promise<string>;
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

const START_TIMEOUT_MS = 90_000;
/** A server with watches open takes its time to leave; they were told to end by then. */
const SHUTDOWN_PATIENCE_MS = 1500;
const KUBECTL_TIMEOUT_MS = 60_000;
const KUBECTL_OUTPUT_BYTES = 64 * 2 ** 20;

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
    if (options.kwok) await startNodes(daemons, programs, options.kwok, cluster);
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

async function startNodes(
  daemons: Daemons,
  programs: Programs,
  options: NonNullable<ClusterOptions['kwok']>,
  cluster: Cluster,
): Promise<void> {
  const path = programPath(programs, 'kwok', 'kwok');
  const flags = kwokFlags(
    cluster.kubeconfig,
    stageFiles(join(path, '..', 'stages'), cluster, options),
    options.podCidr ?? '10.0.0.0/16',
  );
  const kwok = daemons.start(path, flags, { HOME: cluster.folder });
  const resources = options.capacity ?? { cpu: '32', memory: '256Gi', pods: '1000' };
  await Promise.all(Array.from({ length: options.nodes }, (_, index) => makeNode(cluster.api, index, resources)));
  await untilReady(kwok, 'makes every node Ready', async () => (await readyNodes(cluster.api)) >= options.nodes);
}

function stageFiles(folder: string, cluster: Cluster, { podStages }: NonNullable<ClusterOptions['kwok']>): string[] {
  const nodes = ['node/fast/node-initialize.yaml', 'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml'];
  const pods = ['pod/fast/pod-ready.yaml', 'pod/fast/pod-complete.yaml', 'pod/fast/pod-delete.yaml'];
  if (podStages === undefined) return [...nodes, ...pods].map((file) => join(folder, file));
  const own = join(cluster.folder, 'pod-stages.yaml');
  writeFileSync(own, podStages);
  return [...nodes.map((file) => join(folder, file)), own];
}

/** In three zones by turns. */
function makeNode(api: Api, index: number, resources: Readonly<Record<string, string>>): Promise<unknown> {
  const name = `node-${index}`;
  return api.json('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
      },
    },
    status: { allocatable: resources, capacity: resources },
  });
}

interface NodeList {
  readonly items: readonly {
    readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
  }[];
}

async function readyNodes(api: Api): Promise<number> {
  const { items } = await api.json<NodeList>('GET', '/api/v1/nodes');
  return items.filter((node) => node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
    .length;
}

function makeCluster(daemons: Daemons, programs: Programs, place: Place, admin: Certificate): Cluster {
  const server = new URL(`https://127.0.0.1:${place.serverPort}`);
  const kubeconfig = writeKubeconfig(join(place.folder, 'admin.kubeconfig'), server, place.pki, admin);
  const api = makeApi(server, place.pki.caFile, admin);
  const adminAccess = makeAccess(server, place, {
    cert: readFileSync(admin.certFile),
    key: readFileSync(admin.keyFile),
  });
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
  const metric = async (name: string): Promise<Sample[]> => parseMetric(await metricsText(api), name);

  return {
    server,
    kubeconfig,
    api,
    folder: place.folder,
    access: () => adminAccess,
    accessFor: async (namespace, serviceAccount) =>
      makeAccess(server, place, {}, { authorization: `Bearer ${await makeToken(api, namespace, serviceAccount)}` }),
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

function makeAccess(
  server: URL,
  place: Place,
  client: { cert?: Buffer; key?: Buffer },
  headers: Readonly<Record<string, string>> = {},
): Access {
  const tls = { ca: readFileSync(place.pki.caFile), ...client };
  return { server, headers: () => headers, tls: () => tls };
}

async function makeToken(api: Api, namespace: string, name: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const made = await api.call('POST', accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  if (made.status !== 201 && made.status !== 409) throw new Error(`service account ${name}: ${made.text}`);
  const answer = await api.json<{ status: { token: string } }>('POST', `${accounts}/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 8 * 3600 },
  });
  return answer.status.token;
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

function makeKubectl(path: string, kubeconfig: string, folder: string): Cluster['kubectl'] {
  return (args, { input, as } = {}) =>
    new Promise((resolve, reject) => {
      const all = [
        ...(as === undefined ? [] : [`--as=${as}`]),
        `--cache-dir=${join(folder, 'kubectl-cache')}`,
        ...args,
      ];
      const child = execFile(
        path,
        all,
        {
          env: { ...process.env, KUBECONFIG: kubeconfig },
          timeout: KUBECTL_TIMEOUT_MS,
          maxBuffer: KUBECTL_OUTPUT_BYTES,
        },
        (error, stdout, stderr) => {
          if (error && typeof error.code !== 'number') reject(new Error(`kubectl ${args.join(' ')}: ${error.message}`));
          else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
        },
      );
      child.stdin?.on('error', () => {}); // it did not read to the end: its exit code says why
      child.stdin?.end(input ?? '');
    });
}

const metricsText = async (api: Api): Promise<string> => (await api.call('GET', '/metrics')).text;

/** Of the text format: `name{label="value",…} 12`. */
function parseMetric(text: string, name: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => ({
      labels: Object.fromEntries(
        [...line.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]),
      ),
      value: Number(line.slice(line.lastIndexOf(' ') + 1)),
    }));
}

/** @throws Error with the end of its log when `daemon` ends before, or takes longer than is sane */
async function untilReady(daemon: Daemon, what: string, look: () => Promise<boolean>): Promise<void> {
  const failed = (how: string): Error => new Error(`${daemon.name} ${how} before it ${what}:\n${daemon.logTail()}`);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await look().catch(() => false))) {
    const how = daemon.ended();
    if (how !== undefined) throw failed(`ended (${how})`);
    if (performance.now() > deadline) throw failed(`took ${START_TIMEOUT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Polls until `look` holds. @throws Error that says what was waited for, after a minute */
export async function until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`no ${what} within 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
