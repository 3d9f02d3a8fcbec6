// Who reaches what, tried from where it would be tried: the NetworkPolicies of a WebApp and of the operator, as the cluster's network enforces them.
import { expect, test } from 'vitest';
import { LABEL, PORT } from '../../operator/webapp/names.ts';
import { failuresOf, NONE_FAILED, openBoth, whileEachIsLoaded } from './both-shops.ts';
import { SHOPS } from './images.ts';
import { nodePodSpec } from './node-pod.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';
import { eventually, type Place, useRig } from './rig.ts';

const rig = useRig();

const LIGHT = { perSecond: 10 };
const VISITOR = 'visitor';

/** Of a WebApp: what somebody may want to reach. */
const DOORS = ['worker', 'workerAdmin', 'proxy', 'proxyAdmin'] as const;
type Door = (typeof DOORS)[number];

/** Labels of a visitor → the doors that are open to it. */
const VISITORS: readonly [who: string, labels: Readonly<Record<string, string>>, open: readonly Door[]][] = [
  ['a stranger', {}, ['proxy']],
  ['a Prometheus', { [LABEL.name]: 'prometheus' }, ['workerAdmin', 'proxy', 'proxyAdmin']],
  ['a WebApp of that name', { [LABEL.name]: 'prometheus', [LABEL.webApp]: 'prometheus' }, ['proxy']],
];
const FRONT = { role: 'front' };

test('strangers reach the proxy only, Prometheus and the operator the admin ports, the proxy its own workers', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  await makeVisitor(place);
  const promise = { promise: 'NetworkPolicies, enforced: nobody reaches more than is meant', load: LIGHT };
  const loads = await whileEachIsLoaded(place, promise, async ({ name }) => {
    const other = SHOPS.find((shop) => shop.name !== name)?.name ?? '';
    await expectOpen(place, name, inPod(place, await podOf(place, name, 'proxy')), ['worker', 'proxy']);
    await expectOpen(place, name, inPod(place, await podOf(place, other, 'proxy')), ['proxy']);
    await expectOpen(place, name, inPod(place, await podOf(place, other, 'worker')), ['proxy']);
    await expectOpen(place, name, inOperator(place), ['workerAdmin', 'proxy', 'proxyAdmin']);
    return undefined;
  });
  for (const [who, labels, open] of VISITORS) {
    await relabel(place, labels);
    for (const { name } of SHOPS) await expectOpen(place, name, { ...inPod(place, VISITOR), who }, open);
  }
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

test('spec.access.from closes the proxy to all but those it names', async () => {
  const place = await rig().makePlace();
  const access = { from: [{ podSelector: { matchLabels: FRONT } }] };
  for (const shop of SHOPS) await place.change(shop, { access });
  for (const { name, first } of SHOPS) await place.serves(name, first);
  await makeVisitor(place);
  for (const { name } of SHOPS) await expectOpen(place, name, inPod(place, VISITOR), []);
  await relabel(place, FRONT);
  for (const { name } of SHOPS) await expectOpen(place, name, inPod(place, VISITOR), ['proxy']);
});

async function makeVisitor({ kubectlOk, cluster, namespace }: Place): Promise<void> {
  const spec = nodePodSpec(VISITOR, [
    '-e',
    'setInterval(() => {}, 60_000); process.on("SIGTERM", () => process.exit())',
  ]);
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: VISITOR, namespace }, spec };
  await cluster.kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(pod) });
  await kubectlOk('wait', '--for=condition=Ready', `pod/${VISITOR}`, '--timeout=50s');
}

/** It has these labels then, and no others. */
async function relabel({ kubectlOk }: Place, labels: Readonly<Record<string, string>>): Promise<void> {
  const patch = [{ op: 'add', path: '/metadata/labels', value: labels }];
  await kubectlOk('patch', 'pod', VISITOR, '--type=json', '-p', JSON.stringify(patch));
}

async function podOf(place: Place, webApp: string, component: 'worker' | 'proxy'): Promise<string> {
  const [pod] = await place.pods(webApp, component);
  if (pod === undefined) throw new Error(`${webApp} has no ${component}`);
  return pod.name;
}

interface Origin {
  readonly who: string;
  /** Runs `node -e` there. @returns stdout */
  run(code: string): Promise<string>;
}

function inPod({ kubectlOk }: Place, pod: string): Origin {
  return { who: pod, run: (code) => kubectlOk('exec', pod, '--', 'node', '-e', code) };
}

function inOperator({ cluster }: Place): Origin {
  const exec = ['-n', OPERATOR_NAMESPACE, 'exec', 'deployment/webapp-operator', '--'];
  return { who: 'the operator', run: (code) => cluster.kubectlOk([...exec, 'node', '-e', code]) };
}

/** What is enforced follows what is wanted: it is looked at until it is so. */
async function expectOpen(place: Place, webApp: string, { who, run }: Origin, open: readonly Door[]): Promise<void> {
  const doors = await doorsOf(place, webApp);
  let found: string[] = [];
  await eventually(
    async () => {
      found = JSON.parse(await run(knock(doors)));
      return found.join() === open.join();
    },
    () => `${who} finds open doors of ${webApp}: ${found.join(', ') || 'none'}; meant: ${open.join(', ') || 'none'}`,
    30_000,
  );
}

/** Of the last pods, since it is the first that knock: to itself a pod is always open. */
async function doorsOf(place: Place, webApp: string): Promise<[Door, string, number][]> {
  const worker = (await place.pods(webApp, 'worker')).at(-1);
  const proxy = (await place.pods(webApp, 'proxy')).at(-1);
  const addressOf = (door: Door): string => (door.startsWith('worker') ? worker?.ip : proxy?.ip) ?? '';
  return DOORS.map((door) => [door, addressOf(door), PORT[door]]);
}

/** Some networks refuse, others say nothing. */
const knock = (doors: readonly [Door, string, number][]): string => `
const knock = ([door, host, port]) => new Promise((resolve) => {
  const socket = require('node:net').connect({ host, port, timeout: 2000 });
  const end = (found) => { socket.destroy(); resolve(found); };
  socket.on('connect', () => end([door])).on('error', () => end([])).on('timeout', () => end([]));
});
Promise.all(${JSON.stringify(doors)}.map(knock)).then((found) => console.log(JSON.stringify(found.flat())));`;
