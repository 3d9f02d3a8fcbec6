// What other tests take for granted of a cluster: that it works, comes back, and leaves nothing.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isAlive } from '../laptop/stack.ts';
import { clusterCache } from './build.ts';
import { type Cluster, startCluster, until } from './control-plane.ts';
import { useCluster } from './fixture.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const cluster = useCluster({ kwok: { nodes: 3, podCidr: '10.77.0.0/16' } });

const makeConfigMap = (namespace: string, name: string): Promise<{ metadata: { resourceVersion: string } }> =>
  cluster().api.json('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
  });

describe('a cluster', () => {
  test('makes the pods of a Deployment Ready, on nodes in three zones, with addresses of its range', async () => {
    const namespace = await cluster().makeNamespace();
    const inNamespace = `-n=${namespace}`;
    await cluster().kubectlOk(['create', 'deployment', 'shop', '--image=shop', '--replicas=3', inNamespace]);
    const wait = ['wait', '--for=condition=Available', 'deployment/shop', inNamespace, '--timeout=60s'];
    expect(await cluster().kubectlOk(wait)).toContain('condition met');
    const addresses = await cluster().kubectlOk([
      'get',
      'pods',
      inNamespace,
      '-o',
      'jsonpath={.items[*].status.podIP}',
    ]);
    expect(addresses).toMatch(/^10\.77\.\S+ 10\.77\.\S+ 10\.77\.\S+$/);
    expect(await cluster().kubectlOk(['get', 'nodes', '-L=topology.kubernetes.io/zone'])).toMatch(
      /zone-0.*zone-1.*zone-2/s,
    );
  });

  test('collects what belonged to a deleted owner, ends Jobs and makes EndpointSlices', async () => {
    const namespace = await cluster().makeNamespace();
    const kubectl = (...args: string[]) => cluster().kubectlOk([...args, `-n=${namespace}`]);
    await kubectl('create', 'deployment', 'shop', '--image=shop');
    await kubectl('expose', 'deployment', 'shop', '--port=80');
    await kubectl('create', 'job', 'migrate', '--image=shop');
    await kubectl('wait', '--for=condition=Complete', 'job/migrate', '--timeout=60s');
    await until('an endpoint', async () => (await kubectl('get', 'endpointslices')).includes('10.77.'));
    await kubectl('delete', 'deployment', 'shop');
    await until(
      'no ReplicaSet',
      async () => (await kubectl('get', 'replicasets,pods', '-l=app=shop', '-o=name')) === '',
    );
  });

  test('gives a service account what RBAC grants it, and no more', async () => {
    const namespace = await cluster().makeNamespace();
    const access = await cluster().accessFor(namespace, 'robot');
    const list = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const url = new URL(`/api/v1/namespaces/${namespace}/configmaps`, access.server);
        const options = { ...access.tls(), headers: access.headers() as Record<string, string>, agent: false };
        get(url, options, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).on('error', reject);
      });
    expect(await list()).toBe(403);
    await cluster().kubectlOk([
      'create',
      'rolebinding',
      'robot',
      '--clusterrole=view',
      `--serviceaccount=${namespace}:robot`,
      `-n=${namespace}`,
    ]);
    await until('the right to list', async () => (await list()) === 200);
    const asRobot = await cluster().kubectl(['get', 'secrets', `-n=${namespace}`], {
      as: `system:serviceaccount:${namespace}:robot`,
    });
    expect(asRobot.stderr).toContain('Forbidden');
  });

  test('counts the requests of its API server', async () => {
    const namespace = await cluster().makeNamespace();
    const count = () => cluster().requestCount({ verbs: ['POST'], resource: 'configmaps' });
    const before = await count();
    await makeConfigMap(namespace, 'a');
    await makeConfigMap(namespace, 'b');
    // Counted behind the answer.
    await until('two requests more', async () => (await count()) === before + 2);
  });

  test('has all it had after its API server was killed, at the same address, and watches have ended', async () => {
    const namespace = await cluster().makeNamespace();
    await makeConfigMap(namespace, 'kept');
    const watch = watchConfigMaps(cluster(), namespace, '');
    await watch.opened;
    await cluster().killApiServer();
    await watch.ended;
    await cluster().startApiServer();
    expect((await cluster().api.call('GET', `/api/v1/namespaces/${namespace}/configmaps/kept`)).status).toBe(200);
  });

  test('has forgotten old versions after compaction and a restart: a watch from there is told so', async () => {
    const namespace = await cluster().makeNamespace();
    const { metadata } = await makeConfigMap(namespace, 'old');
    for (const name of ['a', 'b', 'c']) await makeConfigMap(namespace, name);
    const before = watchConfigMaps(cluster(), namespace, metadata.resourceVersion);
    await before.opened;
    expect(await cluster().compactEtcd()).toBeGreaterThan(Number(metadata.resourceVersion));
    await cluster().restartApiServer();
    expect(await before.ended).not.toContain('"code":410');
    const after = watchConfigMaps(cluster(), namespace, metadata.resourceVersion);
    expect(await after.ended).toContain('"code":410');
  });
});

describe('nothing is left', () => {
  test('of a cluster that was closed, twice', async () => {
    const other = await startCluster();
    const pids = other.processes().map(({ pid }) => pid);
    expect(pids).toHaveLength(2);
    await other.close();
    await other.close();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(other.folder)).toBe(false);
  });

  test('of a cluster whose starter was killed', async () => {
    const script = `import { startCluster } from '${here}control-plane.ts';
      const { folder, processes } = await startCluster({ kwok: { nodes: 1 } });
      console.log(JSON.stringify({ folder, pids: processes().map(({ pid }) => pid) }));
      setInterval(() => {}, 1000);`;
    const starter = spawn('node', ['--input-type=module-typescript', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) =>
      starter.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    const { folder, pids } = JSON.parse(line) as { folder: string; pids: number[] };
    expect(pids.filter(isAlive)).toHaveLength(5);
    starter.kill('SIGKILL');
    await until('end of its processes', () => pids.filter(isAlive).length === 0);
    await until('end of its folder', () => !existsSync(folder));
  });

  test('of a cluster that could not start, and its log is told', async () => {
    const place = mkdtempSync(join(tmpdir(), 'broken-'));
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    vi.stubEnv('TMPDIR', place);
    onTestFinished(() => void vi.unstubAllEnvs());
    const broken = startCluster({ kwok: { nodes: 1, podStages: 'kind: Stage\nspec: [' } });
    await expect(broken).rejects.toThrow(/kwok ended \(code 1\) before it makes every node Ready:\n.*yaml/is);
    expect(readdirSync(place)).toEqual([]);
  });
});

describe('npm run cluster', () => {
  test('starts one in the foreground, finds it for kubectl, and ends it on Ctrl-C', async () => {
    const env = { ...process.env, XDG_CACHE_HOME: cacheOfItsOwn() };
    const up = spawn('node', [`${here}main.ts`, 'up', '--kwok', '1'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    up.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until('an address', () => said.includes('Ctrl-C ends it'));
    const folder = /export KUBECONFIG=(\S+)\/admin\.kubeconfig/.exec(said)?.[1] ?? '';
    expect(existsSync(folder)).toBe(true);
    expect(await output(env, 'kubectl', 'get', 'nodes')).toMatch(/node-0\s+Ready/);

    up.kill('SIGINT');
    expect(await new Promise((resolve) => up.once('exit', resolve))).toBe(0);
    expect(existsSync(folder)).toBe(false);
    expect(await output(env, 'kubectl', 'get', 'nodes')).toContain(
      'no cluster runs: start one with npm run cluster up',
    );
  });

  /** A cache with the built programs, but no cluster that somebody runs here. */
  function cacheOfItsOwn(): string {
    const cache = mkdtempSync(join(tmpdir(), 'cache-'));
    onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
    const folder = join(cache, 'webapp-operator', 'cluster');
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(clusterCache).filter((entry) => !entry.includes('.')))
      symlinkSync(join(clusterCache, name), join(folder, name));
    return cache;
  }

  function output(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
    const child = spawn('node', [`${here}main.ts`, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return new Promise((resolve) => child.once('close', () => resolve(text)));
  }
});

/** @returns when it was answered, and what had come when it ended, however that was */
function watchConfigMaps(
  { server, access }: Cluster,
  namespace: string,
  resourceVersion: string,
): { opened: Promise<void>; ended: Promise<string> } {
  const url = new URL(`/api/v1/namespaces/${namespace}/configmaps?watch=1&resourceVersion=${resourceVersion}`, server);
  const request = get(url, { ...access().tls(), agent: false });
  const opened = new Promise<void>((resolve) => request.once('response', () => resolve()));
  const ended = new Promise<string>((resolve) => {
    let text = '';
    request.once('response', (answer) => {
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', () => {});
      answer.once('close', () => resolve(text));
    });
    request.on('error', () => resolve(text));
  });
  return { opened, ended };
}
