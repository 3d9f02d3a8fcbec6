// What the promises take for granted of a native cluster: pods run, find each other and are looked into as on any other Kubernetes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makePodReader } from '../../kube/access/pod-reader.ts';
import { buildProgram } from './build.ts';
import { skipWhatFollows } from './fixture.ts';
import { nativeProvider } from './native/provider.ts';
import { loadBusybox, podOf, podSpec, serve, WAIT } from './native/test-pods.ts';
import type { RealCluster } from './real-cluster.ts';
import { until } from './until.ts';

const BUILD_AND_START_MS = 40 * 60_000;

const missing = nativeProvider.whyNot();
if (missing !== undefined) skipWhatFollows(missing);
let cluster: RealCluster;
beforeAll(async () => {
  cluster = await nativeProvider.open(await nativeProvider.start({ nodes: 2 }));
  const folder = mkdtempSync(join(tmpdir(), 'images-'));
  await loadBusybox(cluster, folder).finally(() => rmSync(folder, { recursive: true }));
  await make('pods', podOf('web', serve('hello'), { nodeName: 'node-1' }));
  await make('services', {
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await make('pods', podOf('client', WAIT, { nodeName: 'node-0' }));
  await kubectl('wait', '--for=condition=Ready', 'pod/web', 'pod/client', '--timeout=60s');
}, BUILD_AND_START_MS);
afterAll(() => cluster?.close());

const kubectl = (...args: string[]): Promise<string> => cluster.kubectlOk(args);
const make = (kind: string, body: object, namespace = 'default', api = 'api/v1'): Promise<unknown> =>
  cluster.api.json('POST', `/${api}/namespaces/${namespace}/${kind}`, body);
const busybox = (pod: string, ...args: string[]): Promise<string> =>
  kubectl('exec', pod, '--', '/bin/busybox', ...args);
const field = (pod: string, path: string): Promise<string> => kubectl('get', 'pod', pod, `-o=jsonpath={${path}}`);

describe('pods', () => {
  test('reach a Service by its name in DNS, on another node; a name that is none is denied at once', async () => {
    const answer = await busybox('client', 'nslookup', 'web.default.svc.cluster.local');
    const address = /Name:\s+web\S+\s+Address: (\S+)/.exec(answer)?.[1];
    await until('a way to the Service', async () => {
      const { stdout } = await cluster.kubectl([
        'exec',
        'client',
        '--',
        '/bin/busybox',
        'wget',
        '-qO-',
        `http://${address}`,
      ]);
      return stdout === 'hello\n';
    });
    const denied = await cluster.kubectl(['exec', 'client', '--', '/bin/busybox', 'nslookup', 'shop.example.com']);
    expect(denied.stdout).toContain("can't find shop.example.com: NXDOMAIN");
  });

  test('are looked into: logs, port-forward, the API server as proxy', async () => {
    expect(await kubectl('logs', 'web')).toBe('begun\n');
    expect(await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/web:8080/proxy/')).toBe('hello\n');
    expect(await kubectl('get', '--raw', '/api/v1/namespaces/default/services/web:80/proxy/')).toBe('hello\n');
    const port = await forward('web', 8080);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello\n');
  });

  test('are asked by kube/access/pod-reader.ts, again and again; what goes wrong is one clear error', async () => {
    const script = 'echo "{\\"say\\":1}" >/tmp/good; echo x >/tmp/bad; exec /bin/busybox httpd -f -p 8080 -h /tmp';
    await make('pods', podOf('teller', script, { nodeName: 'node-1' }));
    await kubectl('wait', '--for=condition=Ready', 'pod/teller', '--timeout=60s');
    const reader = await makePodReader({ path: cluster.kubeconfig });
    onTestFinished(() => reader.close());
    const get = (pod: string, path: string, port = 8080): Promise<unknown> =>
      reader.get({ namespace: 'default', pod, port }, path, 10_000);
    for (let time = 0; time < 3; time++) expect(await get('teller', '/good')).toEqual({ say: 1 });
    expect(await Promise.all([get('teller', '/good'), get('teller', '/good')])).toHaveLength(2);
    await expect(get('teller', '/bad')).rejects.toMatchObject({ code: 'INVALID_RESPONSE' });
    await expect(get('teller', '/none')).rejects.toThrow('it answers with status 404');
    await expect(get('teller', '/good', 8081)).rejects.toThrow('port 8081 of the pod takes no connection');
    await expect(get('nobody', '/good')).rejects.toMatchObject({ code: 'API', status: 404 });
    await expect(reader.get({ namespace: 'default', pod: 'teller', port: 8080 }, '/good', 1)).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(await get('teller', '/good')).toEqual({ say: 1 });
  });

  test('are held apart by NetworkPolicies, from other nodes and on their own', async () => {
    await make('pods', podOf('neighbour', WAIT, { nodeName: 'node-1' }));
    await kubectl('wait', '--for=condition=Ready', 'pod/neighbour', '--timeout=60s');
    const address = await field('web', '.status.podIP');
    const reaches = async (pod: string): Promise<boolean> => {
      const wget = ['exec', pod, '--', '/bin/busybox', 'wget', '-qO-', `http://${address}:8080`];
      return (await cluster.kubectl(wget)).stdout === 'hello\n';
    };
    const untilReached = (...by: boolean[]): Promise<void> =>
      until(`reached by client and neighbour: ${by}`, async () =>
        [await reaches('client'), await reaches('neighbour')].every((reached, index) => reached === by[index]),
      );
    const admit = (app: string): object => ({
      metadata: { name: 'doors' },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app } } }], ports: [{ port: 8080 }] }],
      },
    });
    await untilReached(true, true);
    await make('networkpolicies', admit('neighbour'), 'default', 'apis/networking.k8s.io/v1');
    await untilReached(false, true);
    await kubectl('patch', 'networkpolicy', 'doors', '--type=merge', '-p', JSON.stringify(admit('client')));
    await untilReached(true, false);
    await kubectl('delete', 'networkpolicy', 'doors');
    await untilReached(true, true);
  });

  test('see a changed ConfigMap when a note on the pod tells the kubelet to look', async () => {
    await make('configmaps', { metadata: { name: 'words' }, data: { word: 'old' } });
    const pod = podOf('reader', WAIT);
    const [container] = pod.spec.containers;
    container?.volumeMounts.push({ name: 'words', mountPath: '/words' });
    const volumes = [...pod.spec.volumes, { name: 'words', configMap: { name: 'words' } }];
    await make('pods', { ...pod, spec: { ...pod.spec, volumes } });
    await kubectl('wait', '--for=condition=Ready', 'pod/reader', '--timeout=60s');
    await kubectl('patch', 'configmap', 'words', '-p', '{"data":{"word":"new"}}');
    await kubectl('annotate', 'pod', 'reader', 'changed=once');
    // Without the note it takes the kubelet's sync period, a minute and more.
    await until('the new word', async () => (await busybox('reader', 'cat', '/words/word')) === 'new');
  });

  test('are measured', async () => {
    await until('usage of the pod web', async () => {
      const path = '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/web';
      const { status, text } = await cluster.api.call('GET', path);
      return status === 200 && /"memory":"[1-9]/.test(text);
    });
  });

  test('that may be root are refused by a restricted namespace', async () => {
    await kubectl('create', 'namespace', 'strict');
    await kubectl('label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted');
    const rootly = await cluster.kubectl(['run', 'rootly', '--image=busybox:1', '-n=strict']);
    expect(rootly.stderr).toContain('violates PodSecurity "restricted:latest"');
    await make('pods', podOf('modest', WAIT), 'strict');
    await kubectl('wait', '--for=condition=Ready', 'pod/modest', '-n=strict', '--timeout=60s');
  });

  test('are started again when their first process is killed from outside; the words of the one before are kept', async () => {
    await make('pods', podOf('victim', `echo since $(/bin/busybox cat /proc/uptime); ${WAIT}`));
    await kubectl('wait', '--for=condition=Ready', 'pod/victim', '--timeout=60s');
    const before = await kubectl('logs', 'victim');
    await cluster.killContainer({ namespace: 'default', pod: 'victim', container: 'main' }, 'SIGKILL');
    await until('a restart', async () => (await field('victim', '.status.containerStatuses[0].restartCount')) === '1');
    expect(await field('victim', '.status.containerStatuses[0].lastState.terminated.exitCode')).toBe('137');
    expect(await kubectl('logs', 'victim', '--previous')).toBe(before);
    expect(before).toMatch(/^since \d/);
    const nobody = { namespace: 'default', pod: 'victim', container: 'other' };
    await expect(cluster.killContainer(nobody, 'SIGKILL')).rejects.toThrow('default/victim has no container other');
  });

  test('do not notice that the API server was killed; it comes back at the same address', async () => {
    const uid = await field('web', '.metadata.uid');
    await cluster.stopApiServer();
    await expect(cluster.api.call('GET', '/readyz')).rejects.toThrow();
    await cluster.startApiServer();
    expect(await field('web', '.metadata.uid')).toBe(uid);
    expect(await field('web', '.status.containerStatuses[0].restartCount')).toBe('0');
    expect(await busybox('web', 'cat', '/tmp/index.html')).toBe('hello\n');
  });

  // The last: what stood alone on the node is gone.
  test('move when their node is drained', async () => {
    const labels = { app: 'mover' };
    const template = { metadata: { labels }, spec: podSpec(WAIT) };
    const spec = { replicas: 4, selector: { matchLabels: labels }, template };
    await make('deployments', { metadata: { name: 'mover' }, spec }, 'default', 'apis/apps/v1');
    await kubectl('wait', '--for=condition=Available', 'deployment/mover', '--timeout=60s');
    const places = (): Promise<string> =>
      kubectl('get', 'pods', '-l=app=mover', '-o=jsonpath={.items[*].spec.nodeName}');
    expect(await places()).toContain('node-1');
    await kubectl('drain', 'node-1', '--force', '--delete-emptydir-data', '--timeout=50s');
    await until('four on the other node', async () => (await places()) === 'node-0 node-0 node-0 node-0');
    await kubectl('uncordon', 'node-1');
  });
});

test('says what it is made of, and has a zone a node', async () => {
  expect(await cluster.versions()).toMatchObject({
    kubernetes: expect.stringMatching(/^v1\.\d+\.\d+$/),
    etcd: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    CoreDNS: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    'metrics-server': expect.stringMatching(/^\d+\.\d+\.\d+$/),
    'kube-router': expect.stringMatching(/^\d+\.\d+\.\d+$/),
    containerd: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    runc: expect.stringMatching(/^\d+\.\d+\.\d+$/),
  });
  expect(cluster.nodes).toEqual(['node-0', 'node-1']);
  expect(await kubectl('get', 'nodes', '-L=topology.kubernetes.io/zone')).toMatch(/node-0.*zone-0.*node-1.*zone-1/s);
});

/** @returns a port of this machine that leads to `port` of the pod, until the test ends */
async function forward(pod: string, port: number): Promise<string> {
  const path = join(await buildProgram('kubernetes'), 'kubectl');
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
  const child = spawn(path, ['port-forward', `pod/${pod}`, `:${port}`], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('a forwarded port', () => /127\.0\.0\.1:\d+/.test(said));
  return /127\.0\.0\.1:(\d+)/.exec(said)?.[1] ?? '';
}
