import { expect, test } from 'vitest';
import type { Pod, PodReport } from '../observed.ts';
import { planRefreshes } from './refresh.ts';
import { NOON } from './testing/fake-cluster.ts';
import { steady } from './testing/scenario.ts';

const FIRST = 'h1';
const WANTED = 'h2';
const [WORKER, PROXY] = ['worker', 'proxy'].map((component) => {
  const pod = steady().pods.find((one) => one.component === component);
  if (!pod) throw new Error(`there is no ${component}`);
  return pod;
}) as [Pod, Pod];

function reportOf({ component, metadata: { name, uid } }: Pod, hash: string, error?: string): PodReport {
  const config = { hash, appliedAt: 0, ...(error !== undefined && { error }) };
  return { component: component as 'proxy', pod: name, uid, status: { state: 'running', config } };
}

function plan(pod: Pod, report: PodReport | undefined, wall: number) {
  return planRefreshes([pod], report ? [report] : [], () => ({ wanted: WANTED, first: FIRST }), wall);
}

test.each([WORKER, PROXY])(
  'a pod that does not follow is told again, soon and then every 10 seconds, and not for ever',
  (pod) => {
    const behind = reportOf(pod, FIRST);
    const told: number[] = [];
    let wall = NOON;
    let now = pod;
    for (let pass = 0; pass < 20; pass++) {
      const { changes, nextAt } = plan(now, behind, wall);
      for (const change of changes) {
        if (change.verb !== 'refresh') throw new Error(change.verb);
        expect(change.told).toEqual({ hash: WANTED, times: told.length + 1, at: wall });
        told.push(wall - NOON);
        now = { ...now, told: change.told };
      }
      if (nextAt === undefined) break;
      // A pass in between does nothing.
      expect(plan(now, behind, nextAt - 1)).toEqual({ changes: [], nextAt });
      wall = nextAt;
    }
    expect(told).toEqual([0, 5_000, ...Array.from({ length: 14 }, (_, i) => 15_000 + i * 10_000)]);
    expect(plan(now, behind, wall + 3_600_000)).toEqual({ changes: [], nextAt: undefined });
  },
);

const told = { hash: WANTED, times: 1, at: NOON };
test.each([
  ['follows', reportOf(WORKER, WANTED)],
  ['says why it does not', reportOf(WORKER, FIRST, 'threads: too many')],
  ['says nothing', undefined],
])('a pod that %s is not told again', (_, report) => {
  expect(plan({ ...WORKER, told }, report, NOON + 60_000)).toEqual({ changes: [], nextAt: undefined });
});

test('a pod that began with a file in between, and was never told, is told of the first once more', () => {
  const hashesOf = () => ({ wanted: FIRST, first: FIRST });
  const { changes } = planRefreshes([WORKER], [reportOf(WORKER, WANTED)], hashesOf, NOON);
  expect(changes).toMatchObject([{ verb: 'refresh', told: { hash: FIRST, times: 1 } }]);
});

test('a pod that was told by an operator that did not count is told again when it is behind', () => {
  const pod = { ...WORKER, told: { hash: WANTED, times: 0, at: 0 } };
  expect(plan(pod, reportOf(WORKER, FIRST), NOON).changes).toMatchObject([{ told: { times: 1, at: NOON } }]);
});

test('the next of several is the soonest', () => {
  const worker = { ...WORKER, told: { ...told, times: 3 } };
  const proxy = { ...PROXY, told };
  const reports = [reportOf(WORKER, FIRST), reportOf(PROXY, FIRST)];
  const hashesOf = () => ({ wanted: WANTED, first: FIRST });
  expect(planRefreshes([worker, proxy], reports, hashesOf, NOON + 1).nextAt).toBe(NOON + 5_000);
});
