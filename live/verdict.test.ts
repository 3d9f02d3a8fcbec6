import { describe, expect, test } from 'vitest';
import { FAULTS } from '../core/errors.ts';
import { DEATH_MENDS } from '../core/status/death-causes.ts';
import { TROUBLES } from '../core/status/troubles.ts';
import type { StatusProblem } from '../core/status/webapp.ts';
import { NO_TRAFFIC, type Recent } from './minutes.ts';
import type { WebAppDocuments } from './source.ts';
import { AT, durationsOf, makeDeath, makeDocuments, makeProcess, makeProxy, makeWorker } from './testing/documents.ts';
import { CHECKS, listedOf, makeFindings } from './verdict.ts';

const find = (documents: WebAppDocuments, recent: Partial<Recent> = {}) =>
  makeFindings({ at: AT, documents, recent: { ...NO_TRAFFIC, ...recent } });
const worker = (more: Parameters<typeof makeWorker>[0]) =>
  makeDocuments({ workers: [{ place: 'here', status: makeWorker(more) }] });
const condition = (type: 'Ready' | 'Progressing', status: 'True' | 'False', reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '',
});
const problem: StatusProblem = {
  field: 'spec.image',
  type: 'ImagePull',
  message: 'shop:2 cannot be pulled.',
  mend: 'Push it.',
};

test('what users suffer now comes before what they may suffer', () => {
  expect(Object.keys(CHECKS)).toEqual([
    'off',
    'silent',
    'leaving',
    'noProcess',
    'manyErrors',
    'waiting',
    'problems',
    'refused',
    'fewerProcesses',
    'deaths',
    'endpoints',
    'someErrors',
    'partlySilent',
    'progress',
  ]);
});

describe.each<[string, WebAppDocuments, Partial<Recent>, string, RegExp]>([
  ['nobody asks', makeDocuments(), {}, 'good', /^All is well: nobody asks at the moment, 3 processes are free\.$/],
  [
    'all is well under load',
    makeDocuments(),
    { seconds: 30, requests: 300, request: durationsOf(...Array.from({ length: 300 }, () => 8)) },
    'good',
    /^Users are well served: 10 requests a second, half of them answered within 8\.5 ms, 99 of 100 within 10 ms\.$/,
  ],
  [
    'no process is ready',
    worker({
      list: [],
      deaths: [makeDeath(1, { cause: 'boot', message: 'No module named shop.', traceback: 'Traceback' })],
    }),
    {},
    'bad',
    /^Users are not served\. No application process is ready\. No module named shop\.$/,
  ],
  ['it starts', worker({ list: [makeProcess(1, { state: 'starting' })] }), {}, 'warning', /^It is starting/],
  [
    'many requests fail',
    makeDocuments(),
    { requests: 100, errors: 30, faults: { PROCESS_DIED: 28, BODY_TOO_LARGE: 60 } },
    'bad',
    /^Users see errors\. 30 of 100 requests in the last 30 s failed\. The process that served the request died\.$/,
  ],
  [
    'the application fails',
    makeDocuments(),
    { requests: 1_000, errors: 5 },
    'warning',
    /5 of 1000 requests .* The application answered so\.$/,
  ],
  [
    'requests wait',
    worker({
      list: [1, 2, 3].map((id) => makeProcess(id, { requests: [{ method: 'GET', path: '/slow', ms: 900 }] })),
      queue: { length: 12, max: 500, oldestMs: 2_100 },
    }),
    {},
    'warning',
    / Requests wait longer than half a second for a free process\. 12 requests waiting now, the first for 2\.1 s; 3 of 3 slots busy\.$/,
  ],
  [
    'requests waited a moment ago',
    makeDocuments(),
    { requests: 50, workerQueue: durationsOf(...Array.from({ length: 50 }, () => 4_500)) },
    'bad',
    /^Requests wait .* Of the last 30 s, 5 of 100 waited longer than/,
  ],
  ['a problem of the resource', makeDocuments({ problems: [problem] }), {}, 'warning', /^Users are served\. shop:2/],
  [
    'a configuration is refused',
    makeDocuments({
      proxies: [{ place: 'here', status: makeProxy({ config: { hash: 'a', appliedAt: 0, error: 'no route.' } }) }],
    }),
    {},
    'warning',
    /A worker or a proxy refused the configuration and keeps the one before\. It is the proxy \(here\): no route\.$/,
  ],
  [
    'a process is being replaced',
    worker({ list: [makeProcess(2), makeProcess(3), makeProcess(4, { state: 'starting' })], deaths: [makeDeath(1)] }),
    {},
    'warning',
    /^Users are served by 2 of 3 processes; 1 starting\. Process 101 was killed\.$/,
  ],
  [
    'a process died and is replaced',
    worker({ deaths: [makeDeath(1), makeDeath(0)] }),
    {},
    'warning',
    /^Users are served\. Process 101 was killed\. That was 4 s ago\. It was the 2nd in a minute\.$/,
  ],
  ['a process was recycled', worker({ deaths: [makeDeath(1, { cause: 'max-requests' })] }), {}, 'good', /^All is well/],
  [
    'nothing answers',
    makeDocuments({ workers: [{ place: 'w', why: 'no answer' }], proxies: [] }),
    {},
    'unknown',
    /neither a proxy nor a worker answers \(no answer\)/,
  ],
  [
    'it is switched off',
    makeDocuments({ workers: [], conditions: [condition('Ready', 'False', 'Suspended', 'It is suspended.')] }),
    {},
    'unknown',
    /^It is suspended\.$/,
  ],
  [
    'a new version comes',
    makeDocuments({ conditions: [condition('Progressing', 'True', 'RollingOut', '1 of 3 pods is new.')] }),
    {},
    'good',
    /^1 of 3 pods is new\.$/,
  ],
  [
    'it stops',
    makeDocuments({
      workers: [{ place: 'w', status: makeWorker({ state: 'draining' }) }],
      proxies: [{ place: 'p', status: makeProxy({ state: 'draining' }) }],
    }),
    {},
    'unknown',
    /^It is stopping: 0 requests still being served/,
  ],
])('%s', (_, documents, recent, tone, text) => {
  test('is told so', () => {
    const [verdict] = find(documents, recent);
    expect(verdict).toMatchObject({ tone });
    expect(verdict.text).toMatch(text);
  });
});

test('a problem keeps its mend and its field', () => {
  expect(find(makeDocuments({ problems: [problem] }))[0]).toMatchObject({ mend: 'Push it.', field: 'spec.image' });
});

test('processes that died by several causes: the mend of each, the latest first', () => {
  const deaths = [
    makeDeath(1, { at: AT - 9_000 }),
    makeDeath(2, { cause: 'oom', message: 'No memory.' }),
    makeDeath(3),
  ];
  const told = find(worker({ deaths })).filter(({ kind }) => kind.startsWith('death-'));
  expect(told).toMatchObject([DEATH_MENDS.oom, DEATH_MENDS.signal]);
  expect(told[0]?.text).toMatch(/No memory\./);
});

test('that requests wait is told once, with its numbers while they do', () => {
  const { words: message, mend, field } = TROUBLES.wait;
  const told = { type: 'RequestsWait', message, mend, field };
  const kinds = (oldestMs: number) =>
    find(
      makeDocuments({
        problems: [told],
        workers: [{ place: 'here', status: makeWorker({ queue: { length: 1, max: 500, oldestMs } }) }],
      }),
    ).map(({ kind }) => kind);
  expect(kinds(9_000)).toEqual(['waiting']);
  expect(kinds(0)).toEqual(['problem-RequestsWait-spec.workers.processes']);
});

test('while the same is told, its kind stays: it is read aloud once', () => {
  const kinds = [5, 50].map((errors) => find(makeDocuments(), { requests: 100, errors })[0].kind);
  expect(new Set(kinds).size).toBe(1);
});

test('errors are told in the words of the table', () => {
  for (const [code, { status, message }] of Object.entries(FAULTS)) {
    const [{ text }] = find(makeDocuments(), { requests: 10, errors: 10, faults: { [code]: 10 } });
    expect(text.includes(message)).toBe(status >= 500);
  }
});

test('a code that nobody knows is no word', () => {
  expect(find(makeDocuments(), { requests: 10, errors: 10, faults: { toString: 10 } })[0].text).toContain(
    'The application answered so.',
  );
});

test('a row of the list says how many processes are ready', () => {
  expect(listedOf(makeDocuments(), AT)).toMatchObject({ name: 'shop', tone: 'good', text: '3 of 3 processes ready.' });
});
