// From any edits, hand edits and losses in any order, passes and controllers come to rest with nothing left to do. Seeded: a failure names its seed.
import { expect, test } from 'vitest';
import type { ChildKind } from '../kinds.ts';
import { LABEL } from '../names.ts';
import { FakeCluster, type ReferenceState } from './testing/fake-cluster.ts';

/** mulberry32: small, and the same everywhere. */
function makeDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

type Dice = ReturnType<typeof makeDice>;
const pick = <T>(dice: Dice, values: readonly T[]): T => values[dice(values.length)] as T;

function randomSpec(dice: Dice): object {
  const proxy = {
    ...(dice(2) && { static: [{ path: '/static', from: 'static' }], keepRevisions: dice(3) }),
    ...(dice(3) === 0 && { hosts: ['shop.example.com'], expose: { type: 'Ingress' } }),
  };
  return {
    image: `registry.example.com/${pick(dice, ['shop:1', 'shop:2', 'shop:3', 'shop:4', 'absent:1', 'crash:1', 'failing:1'])}`,
    replicas: dice(4),
    workers: { processes: 1 + dice(3) },
    proxy,
    rollout: { autoRollback: dice(2) === 0, keepRevisions: 1 + dice(3) },
    ...(dice(2) && { migrate: { command: ['migrate', String(dice(2))] } }),
    ...(dice(3) === 0 && { autoscaling: { minReplicas: 1 + dice(2), maxReplicas: 5 } }),
    ...(dice(3) === 0 && { envFrom: [{ secretRef: { name: 'keys' } }] }),
    ...(dice(5) === 0 && { suspend: true }),
    ...(dice(4) === 0 && { monitoring: { serviceMonitor: true } }),
  };
}

function disturb(cluster: FakeCluster, dice: Dice): void {
  const { kind, metadata } = pick(dice, [...cluster.children.values()]);
  const labels = { ...metadata.labels, [LABEL.name]: 'other' };
  const acts = [
    () => cluster.remove(kind as ChildKind, metadata.name),
    () => cluster.patch(kind as ChildKind, metadata.name, () => ({ metadata: { ...metadata, labels } })),
    () => cluster.references.set('Secret/keys', pick(dice, SECRET_STATES)),
    () => {
      cluster.apis = dice(2) ? new Set() : new Set(['ServiceMonitor']);
    },
    () => {
      cluster.tells = dice(2) ? () => ({}) : undefined;
    },
  ];
  pick(dice, acts)();
}

const SECRET_STATES: readonly ReferenceState[] = [
  { state: 'missing' },
  { state: 'unknown' },
  { state: 'present', hash: '1' },
  { state: 'present', hash: '2' },
];

test.each(Array.from({ length: 12 }, (_, index) => index + 1))('seed %i', (seed) => {
  const dice = makeDice(seed);
  const cluster = new FakeCluster(randomSpec(dice));
  for (let round = 0; round < 8; round++) {
    for (let hurry = dice(6); hurry > 0; hurry--) {
      cluster.pass();
      if (dice(2)) cluster.step();
      if (cluster.children.size > 0 && dice(3) === 0) disturb(cluster, dice);
    }
    cluster.edit(randomSpec(dice));
  }
  cluster.settle(150);
  const { changes, events, status } = cluster.plan();
  expect({ changes, events, status }).toEqual({ changes: [], events: [], status: cluster.webApp.status });
  assertTruth(cluster);
});

/** What must be so at rest, whatever came before. */
function assertTruth({ webApp, pods, references }: FakeCluster): void {
  const { spec, status } = webApp;
  const workers = pods.filter(({ component }) => component === 'worker');
  const is = (type: string) => status?.conditions?.find((condition) => condition.type === type)?.status;
  expect(status?.observedGeneration).toBe(webApp.metadata.generation);
  expect(is('Ready')).toBe(
    workers.some(({ ready }) => ready) &&
      pods.some((pod) => pod.component === 'proxy' && pod.ready) &&
      !spec.suspend &&
      (spec.autoscaling !== undefined || spec.replicas > 0)
      ? 'True'
      : 'False',
  );
  const hopeless =
    /absent|crash/.test(spec.image) && !spec.suspend && (spec.autoscaling !== undefined || spec.replicas > 0);
  if (hopeless) expect(is('Degraded') === 'True' || references.get('Secret/keys')?.state === 'unknown').toBe(true);
  if (spec.suspend) expect(workers).toEqual([]);
}
