// Requests that wait for a free process: a problem that is written when it begins and when it is over.
import { expect, test } from 'vitest';
import type { FakeCluster } from './testing/fake-cluster.ts';
import { conditions, said, steady } from './testing/scenario.ts';

const waiting = (oldestMs: number, length = 7) => ({ queue: { length, max: 500, oldestMs } });

/** One whose workers tell of a queue of so many milliseconds. */
function served(oldestMs: number): { cluster: FakeCluster; wait: (ms: number) => void } {
  const cluster = steady({ replicas: 1 });
  let now = oldestMs;
  cluster.tells = () => waiting(now);
  return {
    cluster,
    wait: (ms) => {
      now = ms;
    },
  };
}
const isStill = (cluster: FakeCluster): void => {
  const { status, changes, events } = cluster.plan();
  expect({ status, changes, events }).toEqual({ status: cluster.webApp.status, changes: [], events: [] });
};
const minutes = (cluster: FakeCluster, count: number): void => {
  cluster.wall += count * 60_000;
};

test('requests that wait for long are a problem, which is written twice: when it begins and when it is over', () => {
  const { cluster, wait } = served(200);
  cluster.settle();
  expect(cluster.webApp.status?.problems).toBeUndefined();
  wait(900);
  cluster.pass();
  cluster.wall += 5_000;
  expect(said([cluster.pass()])).toEqual(['RequestsWait']);
  expect(cluster.webApp.status).toMatchObject({
    state: 'RequestsWait',
    problems: [
      {
        type: 'RequestsWait',
        field: 'spec.workers.processes',
        message: 'Requests wait longer than half a second for a free process.',
        mend: 'raise it (it is applied in place), or make what the processes serve faster',
      },
    ],
  });
  expect(conditions(cluster.webApp.status)).toMatchObject({ Ready: 'True/Serving', Degraded: 'True/RequestsWait' });

  for (const oldestMs of [5_000, 12_000, 100, 1_100]) {
    minutes(cluster, 1);
    wait(oldestMs);
    isStill(cluster);
    cluster.pass();
  }
  wait(0);
  const { requeueAfterMs = 0 } = cluster.pass();
  expect(requeueAfterMs).toBeGreaterThan(80_000);
  minutes(cluster, 1);
  isStill(cluster);
  cluster.wall += 30_000;
  expect(said([cluster.pass()])).toEqual(['Recovered']);
  expect(cluster.webApp.status?.problems).toBeUndefined();
  expect(cluster.plan().requeueAfterMs).toBeUndefined();
  isStill(cluster);
});

test('a burst is none', () => {
  const { cluster, wait } = served(900);
  cluster.pass();
  wait(0);
  minutes(cluster, 1);
  expect(said([cluster.pass()])).toEqual([]);
  expect(cluster.webApp.status?.problems).toBeUndefined();
});

test('an operator that has just started does not take it back, nor before a worker says that it is over', () => {
  const { cluster, wait } = served(900);
  cluster.pass();
  cluster.wall += 5_000;
  cluster.pass();
  const { tells } = cluster;
  cluster.tells = undefined;
  minutes(cluster, 5);
  isStill(cluster);
  cluster.tells = tells;
  isStill(cluster);
  cluster.tells = undefined;
  isStill(cluster);
  cluster.tells = tells;
  wait(0);
  expect(said([cluster.pass()])).toEqual(['Recovered']);
});
