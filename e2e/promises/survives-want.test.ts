// Too little memory, too small a quota: it is told, and what serves goes on serving.
import { expect, test } from 'vitest';
import type { WorkerStatus } from '../../core/status/worker.ts';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded, whileEachIsLoaded } from './both-shops.ts';
import { untilReady, workerStatus } from './faults.ts';
import { SHOPS, type Shop } from './images.ts';
import { condition, eventually, isComplete, type Place, type Spec, useRig } from './rig.ts';

const rig = useRig();

test('an application process that takes all memory is told of, and the others serve', async () => {
  const place = await rig().makePlace();
  await makeHunger(place);
  await openBoth(place, hungry);
  const promise = 'an application process is killed for want of memory, and it is told';
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    const answer = await place.visit(name, '/eat', { method: 'POST' });
    expect(answer.status).toBe(502);
    const told = await untilTold(place, name);
    await untilReady(place, name, 'worker', 2);
    return told;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

test('a quota that is used up is told, and its end, too', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  await limitPods(place, 2 * PODS_OF_EACH);
  const promise = 'a ResourceQuota refuses pods: it is told, what is there serves; with a larger one they come';
  const loads = await whileBothAreLoaded(place, { promise }, async () => {
    await place.kubectlOk('scale', 'webapp', ...SHOPS.map(({ name }) => name), '--replicas=3');
    for (const { name } of SHOPS) await expectShort(place, name);
    await limitPods(place, 4 * PODS_OF_EACH);
    for (const { name } of SHOPS) await place.settled(name, 'well again, with 3 pods', hasThree);
    return undefined;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

// Memory.

const EXTRA = { volume: 'extra', path: '/extra' } as const;

/** The shops as they are, and one way in more, which takes memory until none is left. */
const HUNGRY = {
  'hungry.py': `from shop import app
eaten = []
@app.post("/eat")
def eat():
    while True:
        eaten.append(b"x" * 8_000_000)
`,
  'hungry.mjs': `import { Server } from 'node:http';
const { emit } = Server.prototype;
const eaten = [];
Server.prototype.emit = function (event, ...args) {
  while (event === 'request' && args[0].url === '/eat') eaten.push(Buffer.alloc(8_000_000, 1));
  return emit.call(this, event, ...args);
};
await import(process.cwd() + '/server.js');
`,
};

async function makeHunger({ cluster, namespace }: Place): Promise<void> {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: EXTRA.volume, namespace }, data: HUNGRY };
  await cluster.kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(configMap) });
}

function hungry({ name }: Shop): Spec {
  return {
    app: name === 'flask-shop' ? 'hungry:app' : `${EXTRA.path}/hungry.mjs`,
    env: [{ name: 'PYTHONPATH', value: EXTRA.path }],
    files: [{ path: EXTRA.path, configMapName: EXTRA.volume }],
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '448Mi' } },
  };
}

type Death = WorkerStatus['deaths'][number];

/**
 * Where the kernel kills one process (cgroup v1, or `singleProcessOOMKill` of the kubelet), the worker tells of it; where it kills all of the
 * container (memory.oom.group of cgroup v2), the pod does.
 * @returns what is told
 */
async function untilTold(place: Place, webApp: string): Promise<string> {
  let deaths: Death[] = [];
  let ends = '';
  await eventually(
    async () => {
      const pods = await place.pods(webApp, 'worker');
      deaths = (await Promise.all(pods.map((pod) => deathsOf(place, pod.name)))).flat();
      ends = await place.kubectlOk('get', 'pods', '-o', `jsonpath=${ENDS}`);
      return deaths.some(({ cause }) => cause === 'oom') || ends.includes('OOMKilled');
    },
    () => `nobody tells of memory: ${JSON.stringify(deaths)}, containers ended by: ${ends}`,
  );
  return deaths.find(({ cause }) => cause === 'oom')?.message ?? 'the container: OOMKilled';
}

const ENDS = '{.items[*].status.containerStatuses[*].lastState.terminated.reason}';

/** None while its container is being started again. */
const deathsOf = (place: Place, pod: string): Promise<Death[]> =>
  workerStatus(place, pod).then(
    ({ deaths }) => deaths,
    () => [],
  );

// Quota.

async function expectShort(place: Place, webApp: string): Promise<void> {
  const isShort: Settled = (one) => condition(one, 'Degraded') === 'True/QuotaExceeded';
  const { status } = await place.settled(webApp, 'short of quota', isShort);
  expect(status?.problems?.[0]?.message).toContain('exceeded quota');
  expect(status?.pods).toMatchObject({ desired: 3, ready: 2 });
}

type Settled = Parameters<Place['settled']>[2];
const hasThree: Settled = (one) =>
  isComplete(one) && one.status?.pods?.ready === 3 && condition(one, 'Degraded') === 'False/AsExpected';

/** Two workers, two proxies. */
const PODS_OF_EACH = 4;

async function limitPods({ cluster, namespace }: Place, pods: number): Promise<void> {
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'few', namespace },
    spec: { hard: { pods: String(pods) } },
  };
  await cluster.kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(quota) });
  await eventually(
    async () =>
      (await cluster.kubectlOk(['-n', namespace, 'get', 'resourcequota', 'few', '-o', HARD])) === String(pods),
    () => `the quota of ${pods} pods is not in force`,
  );
}

const HARD = 'jsonpath={.status.hard.pods}';
