// kube/'s transport and client against a real API server: what the fake one only imitates.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { inClusterAccess } from '../../kube/access/in-cluster.ts';
import { kubeconfigAccess } from '../../kube/access/kubeconfig.ts';
import { type Client, makeClient } from '../../kube/client.ts';
import { discover } from '../../kube/discovery.ts';
import { isConflict, isGone, KubeError } from '../../kube/errors.ts';
import { type KubeObject, pathOf, type Resource } from '../../kube/object.ts';
import { type Access, makeTransport, type Transport } from '../../kube/transport.ts';
import { useCluster } from './fixture.ts';

const cluster = useCluster();
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const DEPLOYMENTS: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};
const ROUTES: Resource = {
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  plural: 'httproutes',
  kind: 'HTTPRoute',
  namespaced: true,
};

const opened: Transport[] = [];
function open(access: Access): Client {
  const log = makeLog(() => {}, Date.now, 'error');
  const transport = makeTransport({ access, log, clock: systemClock, userAgent: 'e2e' });
  opened.push(transport);
  return makeClient({ transport, fieldManager: 'e2e', metricPrefix: 'e2e' });
}

let client: Client;
let namespace: string;
beforeEach(async () => {
  client = open(cluster().access());
  namespace = await cluster().makeNamespace();
});
afterEach(() => {
  for (const transport of opened.splice(0)) transport.close();
});

const configMap = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

test('apply: what the intent no longer holds goes, what another holds stays, and nothing changed is no new version', async () => {
  await client.apply(CONFIG_MAPS, configMap('a', { mine: '1', dropped: '1' }));
  await client.apply(CONFIG_MAPS, configMap('a', { theirs: '2' }), { fieldManager: 'another' });
  const applied = await client.apply(CONFIG_MAPS, configMap('a', { mine: '1' }));
  expect(applied['data']).toEqual({ mine: '1', theirs: '2' });
  expect(applied.metadata).not.toHaveProperty('managedFields');
  const again = await client.apply(CONFIG_MAPS, configMap('a', { mine: '1' }));
  expect(again.metadata.resourceVersion).toBe(applied.metadata.resourceVersion);
});

test('create, stale replace, merge patch, and a delete of exactly what was seen', async () => {
  const made = await client.create(CONFIG_MAPS, configMap('a', { x: '1' }));
  const patched = await client.patch(CONFIG_MAPS, { namespace, name: 'a' }, { data: { x: null, y: '2' } });
  expect(patched['data']).toEqual({ y: '2' });
  expect(await client.replace(CONFIG_MAPS, made).catch(isConflict)).toBe(true);
  expect(await client.remove(CONFIG_MAPS, made.metadata).catch(isConflict)).toBe(true);
  await client.remove(CONFIG_MAPS, patched.metadata);
  await client.remove(CONFIG_MAPS, patched.metadata);
});

test('a refusal names the field', async () => {
  const refused = client.apply(CONFIG_MAPS, configMap('Not_A_Name', {}));
  await expect(refused).rejects.toMatchObject({ code: 'API', status: 422, reason: 'Invalid' });
  await expect(refused).rejects.toThrow(/metadata\.name/);
});

test('discovery: what is there, and what is not', async () => {
  expect(await discover(client.transport, [DEPLOYMENTS, CONFIG_MAPS, ROUTES])).toEqual(
    new Set([DEPLOYMENTS, CONFIG_MAPS]),
  );
});

test('a pod, by its token and CA on files, is who it is, and may do what it may', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-pod-'));
  const pod = await cluster().accessFor(namespace, 'web');
  const [shown = ''] = Object.values(await pod.headers());
  writeFileSync(join(folder, 'token'), shown.replace('Bearer ', ''));
  writeFileSync(join(folder, 'ca.crt'), String(pod.tls().ca));
  const { hostname, port } = cluster().server;
  const own = open(inClusterAccess({ host: hostname, port, folder }));
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  expect(await own.transport.request({ method: 'POST', path, body: review })).toMatchObject({
    status: { userInfo: { username: `system:serviceaccount:${namespace}:web` } },
  });
  await expect(own.get(CONFIG_MAPS, { namespace, name: 'a' })).rejects.toMatchObject({
    status: 403,
    reason: 'Forbidden',
  });
  rmSync(folder, { recursive: true });
});

test('the kubeconfig of a person works, by client certificate', async () => {
  const own = open(await kubeconfigAccess({ path: cluster().kubeconfig }));
  expect(await own.apply(CONFIG_MAPS, configMap('a', { x: '1' }))).toMatchObject({ metadata: { name: 'a' } });
});

test('a watch tells what comes after its version; the server restarts: it breaks, and calls go on once it is back', async () => {
  const { resourceVersion } = (await client.apply(CONFIG_MAPS, configMap('a', { n: '0' }))).metadata;
  const seen: string[] = [];
  const query = { watch: true, resourceVersion, allowWatchBookmarks: true };
  const watch = client.transport.watch({
    path: pathOf(CONFIG_MAPS, { namespace }),
    query,
    idleMs: 60_000,
    onLine: (line) => seen.push((JSON.parse(line) as { type: string }).type),
  });
  const ended = watch.then(
    () => 'in order',
    (error: unknown) => (error instanceof KubeError ? error.code : error),
  );
  await client.apply(CONFIG_MAPS, configMap('a', { n: '1' }));
  await client.apply(CONFIG_MAPS, configMap('b', {}));
  await vi.waitFor(() => expect(seen).toEqual(['MODIFIED', 'ADDED']), { timeout: 20_000 });
  await cluster().killApiServer();
  expect(await ended).toBe('NETWORK');
  await expect(client.get(CONFIG_MAPS, { namespace, name: 'a' })).rejects.toMatchObject({ code: 'NETWORK' });
  await cluster().startApiServer();
  expect(await client.get(CONFIG_MAPS, { namespace, name: 'a' })).toMatchObject({ data: { n: '1' } });
});

test('a version that etcd has forgotten is gone, for a watch and for the next page of a list', async () => {
  await Promise.all(['a', 'b', 'c'].map((name) => client.apply(CONFIG_MAPS, configMap(name, {}))));
  const path = pathOf(CONFIG_MAPS, { namespace });
  const page = await client.transport.request<{ metadata: { resourceVersion: string; continue: string } }>({
    method: 'GET',
    path,
    query: { limit: 1 },
  });
  await client.apply(CONFIG_MAPS, configMap('d', {}));
  await cluster().compactEtcd();
  await cluster().restartApiServer();
  const next = client.transport.request({ method: 'GET', path, query: { limit: 1, continue: page.metadata.continue } });
  expect(await next.catch(isGone)).toBe(true);

  const lines: unknown[] = [];
  const query = { watch: true, resourceVersion: page.metadata.resourceVersion };
  const watch = client.transport.watch({ path, query, idleMs: 60_000, onLine: (line) => lines.push(JSON.parse(line)) });
  const refused = await watch.then(
    () => false,
    (error: unknown) => isGone(error),
  );
  if (!refused)
    expect(lines).toEqual([{ type: 'ERROR', object: expect.objectContaining({ code: 410, reason: 'Expired' }) }]);
});
