// A real Prometheus in the cluster finds the pods by their annotations, and every query of every dashboard that the chart installs has an answer: those of faults once
// the faults are there. Its alert names their cause as the WebApp's status does.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_VERSION, KIND } from '../../core/app/schema.ts';
import { CAUSE_WORDS } from '../../core/status/death-causes.ts';
import { DEATH_CAUSES } from '../../core/status/worker.ts';
import { expressionsOf, filledIn } from '../../monitoring/dashboards/expressions.ts';
import type { WebAppObject } from '../namespace.ts';
import { CONTAINER, killProcess, workerStatus } from './faults.ts';
import { CHART } from './helm.ts';
import { GOODS, SHOPS } from './images.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';
import { type Alert, type Prometheus, startPrometheus, stopPrometheus, type Target } from './prometheus.ts';
import { upgradeOrInstall, useHelm } from './release.ts';
import { eventually, type Place, useRig } from './rig.ts';

/** Discovery, a few scrapes, and the window of a rate. */
const PATIENCE_MS = 240_000;
const BOARDS = ['fleet', 'operator', 'webapp'].map((board) => `webapp-operator-${board}.json`);
const [SHOP] = SHOPS;
/** A request may take so long; a body may be so large. */
const SMALL = { workers: { timeout: '2s' }, proxy: { limits: { body: '1Ki' } } };
/** Its processes end as they begin. */
const BROKEN = 'broken';

const rig = useRig();
const helm = useHelm(rig);
let prometheus: Prometheus;

beforeAll(async () => {
  await upgradeOrInstall(helm(), CHART, { dashboards: { enabled: true } });
  prometheus = await startPrometheus(rig().cluster);
});
afterAll(() => stopPrometheus(rig().cluster));

test('it finds all pods by their annotations, and every query of the dashboards has an answer', async () => {
  if (SHOP === undefined) throw new Error('there is no shop');
  const place = await rig().makePlace();
  await place.open(SHOP);
  await makeBroken(place);
  const load = await rig().load.start({
    kind: 'http',
    url: place.url(SHOP.name, '/api/goods'),
    perSecond: 10,
    expect: GOODS.always,
  });
  await untilFound(place);
  // A rollout, and a configuration in place: both are notes on the dashboard.
  await place.change(SHOP, { ...SMALL, image: SHOP.second });
  await place.serves(SHOP.name, SHOP.second);

  const unanswered = new Set(await queries(place));
  const asked = unanswered.size;
  await eventually(
    async () => {
      await makeFaults(place);
      for (const query of unanswered) if ((await prometheus.lines(query.expr)) > 0) unanswered.delete(query);
      return unanswered.size === 0;
    },
    () => `without an answer: ${JSON.stringify([...unanswered], null, 1)}`,
    PATIENCE_MS,
  );
  await load.stop();
  await alertSaysWhatTheStatusSays(place);
  console.log(`${asked} queries of ${BOARDS.length} dashboards have an answer`);
  expect(asked).toBeGreaterThan(50);
});

/** Processes died again and again: the alert and the WebApp's own problem name one cause, in the same words. */
async function alertSaysWhatTheStatusSays(place: Place): Promise<void> {
  const of = { alertname: 'WebAppCrashLoop', namespace: place.namespace, webapp: SHOP?.name ?? '' };
  const webApp = await place.settled(of.webapp, 'at a problem', (one) => problemOf(one) !== undefined);
  const message = problemOf(webApp)?.message ?? '';
  const cause = DEATH_CAUSES.find((one) => message.includes(CAUSE_WORDS[one]));
  let firing: readonly Alert[] = [];
  await eventually(
    async () => {
      await makeFaults(place);
      firing = await prometheus.firing();
      return firing.some(({ labels }) => matches(labels, { ...of, cause: cause ?? 'none' }));
    },
    () => `no alert of ${JSON.stringify(of)} by ${cause} for "${message}", only ${JSON.stringify(firing)}`,
    PATIENCE_MS,
  );
  const alert = firing.find(({ labels }) => matches(labels, { ...of, cause: cause ?? 'none' }));
  expect(alert?.annotations['description']).toContain(cause && CAUSE_WORDS[cause]);
  console.log(`status: ${message}\nalert: ${alert?.annotations['description']}`);
}

const problemOf = ({ status }: WebAppObject) => status?.problems?.find(({ type }) => type === 'ProcessesDie');

function matches(labels: Alert['labels'], wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

async function makeBroken({ namespace, cluster }: Place): Promise<void> {
  const spec = { image: SHOP?.crashing, app: SHOP?.app, replicas: 1, proxy: { replicas: 1 } };
  const object = { apiVersion: API_VERSION, kind: KIND, metadata: { name: BROKEN, namespace }, spec };
  await cluster.kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(object) });
}

/** A process that dies, one that hangs with a request, a path that is not there, a body that is too large. */
async function makeFaults(place: Place): Promise<void> {
  const name = SHOP?.name ?? '';
  const [first, second] = await place.pods(name, 'worker');
  if (first === undefined || second === undefined) throw new Error(`${name} has not two workers`);
  await killProcess(place, first.name);
  const { list } = await workerStatus(place, second.name);
  // One that was stopped before may be gone since.
  const stop = list.map(({ pid }) => `try { process.kill(${pid}, 'SIGSTOP') } catch {}`);
  await place.kubectlOk('exec', second.name, '-c', CONTAINER.worker, '--', 'node', '-e', stop[0] ?? '');
  await place.visit(name, '/nowhere');
  await place.visit(name, '/orders', { method: 'POST', bodyBytes: 4_096 });
}

interface Query {
  readonly board: string;
  readonly title: string;
  readonly expr: string;
}

/** Of the ConfigMaps that the sidecar of Grafana's chart looks for. */
async function queries({ namespace, cluster }: Place): Promise<Query[]> {
  const values = { namespace, webapp: SHOP?.name ?? '', __rate_interval: '1m', __range: '5m', __interval: '15s' };
  const found = await cluster.kubectlOk(['get', 'configmaps', '-A', '-l', 'grafana_dashboard=1', '-o', 'json']);
  const { items } = JSON.parse(found) as { items: { data: Readonly<Record<string, string>> }[] };
  const boards = items.flatMap(({ data }) => Object.entries(data));
  expect(boards.map(([board]) => board).toSorted()).toEqual(BOARDS);
  return boards.flatMap(([board, text]) =>
    expressionsOf(JSON.parse(text)).map(({ title, expr }) => ({ board, title, expr: filledIn(expr, values) })),
  );
}

/** Every pod of the WebApp and of the operator, and each is up. */
async function untilFound(place: Place): Promise<void> {
  const wanted = (await place.pods(SHOP?.name ?? '')).map(({ name }) => name);
  let found: readonly Target[] = [];
  await eventually(
    async () => {
      found = (await prometheus.targets()).filter(({ health }) => health === 'up');
      const up = new Set(found.map(({ labels }) => labels['pod']));
      const operators = found.filter(({ labels }) => labels['namespace'] === OPERATOR_NAMESPACE);
      return wanted.every((name) => up.has(name)) && operators.length === 2;
    },
    () => `not all are found: ${wanted.join(', ')} in ${JSON.stringify(found)}`,
    PATIENCE_MS,
  );
}
