// Application processes that die while they serve: each is an event, a few are a problem, and a steady cluster is left alone.
import { expect, test } from 'vitest';
import { DEATH_CAUSES, REPLACE_CAUSES } from '../../../core/status/worker.ts';
import type { Death, Pod } from '../observed.ts';
import type { FakeCluster } from './testing/fake-cluster.ts';
import { conditions, said, steady } from './testing/scenario.ts';

const MINUTE_MS = 60_000;
const OOM = 'was killed by the kernel because the container ran out of memory (256 MiB).';

function death(id: number, at: number, more: Partial<Death> = {}): Death {
  return { id, pid: 100 + id, at, cause: 'oom', message: `Process ${id} (pid ${100 + id}) ${OOM}`, ...more };
}

/** One whose workers have told of themselves for a while. */
function served(): { cluster: FakeCluster; die: (...deaths: Death[]) => void } {
  const cluster = steady({ replicas: 1 });
  let all: Death[] = [];
  cluster.tells = () => ({ deaths: all.slice(0, 3) });
  cluster.settle();
  return {
    cluster,
    die: (...deaths) => {
      all = [...deaths, ...all];
    },
  };
}
const isStill = (cluster: FakeCluster): void => {
  const { status, changes, events } = cluster.plan();
  expect({ status, changes, events }).toEqual({ status: cluster.webApp.status, changes: [], events: [] });
};

test('one that was got over is an event in the words of the worker, told once, and no problem', () => {
  const { cluster, die } = served();
  const before = cluster.webApp.status;
  die(death(4, cluster.wall));
  const events = cluster.settle().flatMap((plan) => plan.events);
  expect(events).toEqual([
    { type: 'Warning', reason: 'ProcessDied', action: 'Serve', note: `Process 4 (pid 104) ${OOM}` },
  ]);
  expect(cluster.webApp.status).toEqual(before);
  isStill(cluster);
});

test('several at once are one event', () => {
  const { cluster, die } = served();
  die(death(5, cluster.wall), death(4, cluster.wall - 1));
  expect(cluster.settle().flatMap((plan) => plan.events.map(({ note }) => note))).toEqual([
    `Process 5 (pid 105) ${OOM} Another 1 died as well.`,
  ]);
});

test('three within ten minutes are a problem, which is written twice: when it begins and when it is over', () => {
  const { cluster, die } = served();
  for (const id of [1, 2]) {
    die(death(id, cluster.wall));
    expect(said(cluster.settle())).toEqual(['ProcessDied']);
    cluster.wall += MINUTE_MS;
  }
  die(death(3, cluster.wall));
  expect(said(cluster.settle())).toEqual(['ProcessesDie']);
  expect(cluster.webApp.status).toMatchObject({
    state: 'ProcessesDie',
    problems: [
      {
        type: 'ProcessesDie',
        field: 'spec.resources.limits.memory',
        message: `Application processes die again and again, such as: Process 3 (pid 103) ${OOM}`,
        mend: 'raise it, or lower spec.workers.processes',
      },
    ],
  });
  expect(conditions(cluster.webApp.status)).toMatchObject({ Ready: 'True/Serving', Degraded: 'True/ProcessesDie' });

  let last = cluster.wall;
  for (const id of [4, 5, 6, 7]) {
    cluster.wall += 5 * MINUTE_MS;
    last = cluster.wall;
    die(death(id, last));
    isStill(cluster);
    cluster.pass();
  }
  const { requeueAfterMs = 0 } = cluster.plan();
  expect(cluster.wall + requeueAfterMs).toBe(last + 10 * MINUTE_MS);
  cluster.wall = last + 10 * MINUTE_MS;
  expect(said(cluster.settle())).toEqual(['Recovered']);
  expect(cluster.webApp.status?.state).toBe('Serving');
  expect(cluster.webApp.status?.problems).toBeUndefined();
  isStill(cluster);
  expect(cluster.plan().requeueAfterMs).toBeUndefined();
});

test('three within half an hour are three events', () => {
  const { cluster, die } = served();
  for (const id of [1, 2, 3]) {
    cluster.wall += 9 * MINUTE_MS;
    die(death(id, cluster.wall));
    expect(said(cluster.settle())).toEqual(['ProcessDied']);
  }
  expect(cluster.webApp.status?.problems).toBeUndefined();
});

test('they are counted over all workers', () => {
  const cluster = steady({ replicas: 3 });
  const at = cluster.wall;
  cluster.tells = (pod: Pod) => ({ deaths: [death(1, at, { message: `${pod.metadata.name} died.` })] });
  cluster.settle();
  expect(cluster.webApp.status?.problems).toMatchObject([{ type: 'ProcessesDie' }]);
});

test('what they die of now is told, as soon as none of the earlier cause is recent', () => {
  const { cluster, die } = served();
  die(...[3, 2, 1].map((id) => death(id, cluster.wall - id)));
  cluster.settle();
  const slow = { cause: 'timeout', message: 'GET /slow took too long.' } as const;
  cluster.wall += 9 * MINUTE_MS;
  die(death(4, cluster.wall, slow));
  isStill(cluster);
  cluster.wall += 2 * MINUTE_MS;
  cluster.settle();
  expect(cluster.webApp.status?.problems).toMatchObject([
    { field: 'spec.workers.timeout', message: expect.stringContaining('GET /slow took too long.') },
  ]);
});

test.each(DEATH_CAUSES)('%s is told in the worker’s words', (cause) => {
  const { cluster, die } = served();
  die(...[3, 2, 1].map((id) => death(id, cluster.wall - id, { cause, message: `It died of ${cause}.` })));
  const events = said(cluster.settle());
  const boots = cause === 'boot' || cause === 'boot-timeout';
  // A process that did not start, and does now, is got over.
  expect(events).toEqual(boots ? [] : ['ProcessesDie']);
  if (!boots) expect(cluster.webApp.status?.problems?.[0]?.message).toContain(`It died of ${cause}.`);
});

test.each(REPLACE_CAUSES)('%s is no fault', (cause) => {
  const { cluster, die } = served();
  die(...[3, 2, 1].map((id) => death(id, cluster.wall - id, { cause })));
  expect(said(cluster.settle())).toEqual([]);
});

test('an operator that has just started does not take the problem back, and tells of old deaths no more', () => {
  const { cluster, die } = served();
  die(...[3, 2, 1].map((id) => death(id, cluster.wall - id)));
  cluster.settle();
  const { tells } = cluster;
  cluster.tells = undefined;
  isStill(cluster);
  cluster.tells = tells;
  isStill(cluster);
});

test('of a pod that is asked for the first time, what happened long ago is no news', () => {
  const cluster = steady({ replicas: 1 });
  const old = death(1, cluster.wall - 5 * MINUTE_MS);
  cluster.tells = () => ({ deaths: [old] });
  expect(said(cluster.settle())).toEqual([]);
});

test('a pod whose clock is wrong makes no problem that never ends', () => {
  const { cluster, die } = served();
  die(...[3, 2, 1].map((id) => death(id, cluster.wall + 86_400_000 * id)));
  cluster.settle();
  expect(cluster.webApp.status?.problems).toBeUndefined();
});
