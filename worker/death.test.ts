import { describe, expect, test } from 'vitest';
import { bootFailureOf, causeOf, type Death, type DeathFacts, describeDeath, remember } from './death.ts';

const facts = (more: Partial<DeathFacts>): DeathFacts => ({
  id: 3,
  pid: 41,
  wasReady: true,
  asked: 'no',
  blame: null,
  bootFailure: null,
  exitCode: null,
  signal: null,
  oom: false,
  memoryLimit: null,
  fallen: [],
  ...more,
});
const told = (more: Partial<DeathFacts>): string => {
  const all = facts(more);
  const cause = causeOf(all);
  return `${cause}: ${describeDeath(all, cause)}`;
};
const request = (path: string, ms: number) => ({ method: 'GET', path, ms });

test.each<[string, Partial<DeathFacts>]>([
  ['exit: Process 3 (pid 41) exited by itself with code 1.', { exitCode: 1 }],
  ['exit: Process 3 (pid 41) exited by itself with code 0.', { exitCode: 0 }],
  ['signal: Process 3 (pid 41) was killed by a signal: SIGKILL, sent from outside.', { signal: 'SIGKILL' }],
  [
    'signal: Process 3 (pid 41) was killed by a signal: SIGSEGV (a native library touched memory that is not its own), while it served GET /resize (for 1.2 s).',
    { signal: 'SIGSEGV', fallen: [request('/resize', 1_234)] },
  ],
  [
    'oom: Process 3 (pid 41) was killed by the kernel because the container ran out of memory (512 MiB), while it served GET /report (for 9.0 s).',
    { signal: 'SIGKILL', oom: true, memoryLimit: 2 ** 29, fallen: [request('/report', 9_000)] },
  ],
  [
    'oom: Process 3 (pid 41) was killed by the kernel because the container ran out of memory.',
    { signal: 'SIGKILL', oom: true, wasReady: false },
  ],
  [
    "boot: Process 3 (pid 41) could not start: No module named 'flask'.",
    {
      wasReady: false,
      exitCode: 3,
      blame: { cause: 'boot', detail: '' },
      bootFailure: { reason: "No module named 'flask'.", mend: '', traceback: '' },
    },
  ],
  ['boot: Process 3 (pid 41) could not start: it exited by itself with code 9.', { wasReady: false, exitCode: 9 }],
  ['boot: Process 3 could not start: it exited by itself with code unknown.', { wasReady: false, pid: 0 }],
  [
    'boot-timeout: Process 3 (pid 41) was not ready in time: /healthz answered 500.',
    {
      wasReady: false,
      asked: 'kill',
      signal: 'SIGABRT',
      blame: { cause: 'boot-timeout', detail: '/healthz answered 500' },
    },
  ],
  [
    'timeout: Process 3 (pid 41) was replaced because a request took too long: GET /hang took longer than 30 s.',
    {
      asked: 'kill',
      signal: 'SIGABRT',
      blame: { cause: 'timeout', detail: 'GET /hang took longer than 30 s' },
      fallen: [request('/hang', 30_100)],
    },
  ],
  [
    'unhealthy: Process 3 (pid 41) was replaced because it failed its health checks: /healthz answered 503.',
    { asked: 'stop', exitCode: 0, blame: { cause: 'unhealthy', detail: '/healthz answered 503' } },
  ],
  [
    'protocol: Process 3 (pid 41) was replaced because it broke the protocol: a frame too long.',
    { asked: 'stop', exitCode: 0, blame: { cause: 'protocol', detail: 'a frame too long' } },
  ],
  [
    'max-requests: Process 3 (pid 41) was replaced after its share of requests.',
    { asked: 'stop', exitCode: 0, blame: { cause: 'max-requests', detail: '' } },
  ],
  [
    'max-memory: Process 3 (pid 41) was replaced because its memory grew past the limit: 412 MiB.',
    { asked: 'stop', exitCode: 0, blame: { cause: 'max-memory', detail: '412 MiB' } },
  ],
  [
    'reload: Process 3 (pid 41) was replaced by one that runs the newer application, and was killed when its time to finish was over, while it served GET /slow (for 30.0 s).',
    {
      asked: 'kill',
      signal: 'SIGKILL',
      blame: { cause: 'reload', detail: '' },
      fallen: [request('/slow', 30_000)],
    },
  ],
  [
    'resize: Process 3 (pid 41) left because fewer processes are wanted.',
    { asked: 'stop', signal: 'SIGTERM', blame: { cause: 'resize', detail: '' } },
  ],
  [
    'shutdown: Process 3 (pid 41) left because the worker stops.',
    { asked: 'stop', exitCode: 0, blame: { cause: 'shutdown', detail: '' } },
  ],
])('%s', (sentence, more) => {
  expect(told(more)).toBe(sentence);
});

describe('the loss of a connection announces a death and is not its cause', () => {
  const blame = { cause: 'protocol', detail: 'its connection closed' } as const;

  test('killed from outside', () => {
    expect(causeOf(facts({ blame, asked: 'stop', signal: 'SIGKILL' }))).toBe('signal');
  });
  test('exited with an error', () => {
    expect(causeOf(facts({ blame, asked: 'stop', exitCode: 1 }))).toBe('exit');
  });
  test('killed by us, because it stayed', () => {
    expect(causeOf(facts({ blame, asked: 'kill', signal: 'SIGKILL' }))).toBe('protocol');
  });
});

test('a process that crashes with requests while it leaves died of the crash', () => {
  const leaving = { asked: 'stop', blame: { cause: 'resize', detail: '' }, signal: 'SIGSEGV' } as const;
  expect(causeOf(facts({ ...leaving, fallen: [request('/', 1)] }))).toBe('signal');
  expect(causeOf(facts(leaving))).toBe('resize');
});

test('of many requests it names three', () => {
  const fallen = [1, 2, 3, 4, 5].map((id) => request(`/${id}`, 1_000));
  expect(told({ signal: 'SIGKILL', fallen })).toMatch(/GET \/3 \(for 1\.0 s\) and 2 more\.$/);
});

test('twenty are remembered, the latest first; those that were wished for do not push out a crash', () => {
  const death = (id: number, cause: Death['cause']): Death => ({ id, pid: id, at: id, cause, message: '' });
  let deaths: Death[] = [];
  for (let id = 1; id <= 5; id++) deaths = remember(deaths, death(id, 'signal'));
  for (let id = 6; id <= 100; id++) deaths = remember(deaths, death(id, 'max-requests'));
  expect(deaths.map(({ id }) => id)).toEqual([100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 5, 4, 3, 2, 1]);
  for (let id = 101; id <= 140; id++) deaths = remember(deaths, death(id, 'signal'));
  expect(deaths).toHaveLength(20);
  expect(deaths[0]?.id).toBe(140);
});

test('killed for want of memory while it started: that is said, not what was guessed from its end', () => {
  const guessed = { reason: 'The process ended while it was starting, by SIGKILL', mend: '', traceback: '' };
  const dead = facts({ wasReady: false, signal: 'SIGKILL', oom: true, bootFailure: guessed });
  expect(causeOf(dead)).toBe('oom');
  expect(bootFailureOf(dead, 'oom')).toMatchObject({
    reason: expect.stringMatching(/out of memory/),
    mend: expect.stringMatching(/memory limit/),
  });
});

test('a process that ended without a word says so as a boot failure', () => {
  const silent = facts({ wasReady: false, exitCode: 9 });
  expect(bootFailureOf(silent, causeOf(silent))).toEqual({
    reason: 'Process 3 (pid 41) could not start: it exited by itself with code 9.',
    mend: expect.stringMatching(/log/),
    traceback: '',
  });
});
