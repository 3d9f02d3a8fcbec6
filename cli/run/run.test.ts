import { describe, expect, test } from 'vitest';
import { parseWebApps } from '../../core/app/manifest-file.ts';
import type { WebApp } from '../../core/app/schema.ts';
import { changedFields } from './changes.ts';
import { LineSplitter } from './line-splitter.ts';
import { News } from './news.ts';
import { listeningInodes } from './port.ts';
import { allotPorts, planEdit } from './session.ts';
import { StartFailure } from './start-failure.ts';
import { StopRequests } from './stop-requests.ts';
import { makeDocuments, makeTarget } from './target.ts';

function webApp(spec: object): WebApp {
  const manifest = {
    apiVersion: 'webapp-operator.io/v1alpha1',
    kind: 'WebApp',
    metadata: { name: 'shop' },
    spec: { image: 'x', app: 'shop:app', ...spec },
  };
  const { webApps, problems } = parseWebApps(JSON.stringify(manifest));
  if (!webApps[0]) throw new Error(JSON.stringify(problems));
  return webApps[0].webApp;
}
const loaded = (spec: object) => ({ webApp: webApp(spec), file: '/m/webapp.yaml', folder: '/m', source: '/m/shop' });

describe('what an edit changes', () => {
  test.each<[string, object, object, string[]]>([
    ['nothing', {}, {}, []],
    ['a default that is written', {}, { workers: { timeout: '30s' } }, []],
    ['the image, which does not run here', {}, { image: 'y' }, []],
    ['what only the cluster reads', {}, { replicas: 9, proxy: { hosts: ['a.example.com'] } }, []],
    ['that it is suspended', {}, { suspend: true }, ['suspend false → true']],
    ['a number', { workers: { processes: 3 } }, { workers: { processes: 8 } }, ['workers.processes 3 → 8']],
    ['from a default', {}, { workers: { processes: 8 } }, ['workers.processes auto → 8']],
    [
      'several',
      {},
      { app: 'a:b', proxy: { limits: { body: '1Mi' } } },
      ['app shop:app → a:b', 'proxy.limits.body 10Mi → 1Mi'],
    ],
    ['one that comes', {}, { workers: { maxMemory: '1Gi' } }, ['workers.maxMemory 1Gi']],
    ['one that goes', { workers: { maxMemory: '1Gi' } }, {}, ['workers.maxMemory 1Gi removed']],
    [
      'variables, without their values',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
      { env: [{ name: 'B', value: '3' }, { name: 'C' }] },
      ['env[A] removed', 'env[B] changed', 'env[C] added'],
    ],
    [
      'the order of variables is none',
      { env: [{ name: 'A' }, { name: 'B' }] },
      { env: [{ name: 'B' }, { name: 'A' }] },
      [],
    ],
    [
      'a static folder',
      { proxy: { static: [{ path: '/s', from: 'a' }] } },
      { proxy: { static: [{ path: '/s', from: 'b' }] } },
      ['proxy.static[/s].from a → b'],
    ],
    ['a long value', {}, { app: `a:${'b'.repeat(100)}` }, [`app shop:app → a:${'b'.repeat(37)}…`]],
  ])('%s', (_, before, after, wanted) => {
    expect(changedFields(webApp(before), webApp(after))).toEqual(wanted);
  });
});

describe('what the command line adjusts', () => {
  test('--processes', () => {
    const target = makeTarget(loaded({ workers: { processes: 3 } }), { processes: 5, reload: false });
    expect(target.webApp.spec.workers.processes).toBe(5);
  });

  test('--reload: one process with threads, and static files that are asked for each time', () => {
    const spec = {
      workers: { processes: 3, preload: true },
      proxy: { static: [{ path: '/s', from: 's', immutable: true }] },
    };
    const target = makeTarget(loaded(spec), { processes: 5, reload: true });
    expect(target.webApp.spec.workers).toMatchObject({ processes: 1, threads: 8, preload: false });
    const { proxy } = makeDocuments(target, 'unix:/w.sock', true);
    expect(proxy.static).toMatchObject([{ directories: ['/m/shop/s'], maxAgeSeconds: 0, immutable: false }]);
    expect(proxy.hash).not.toBe(makeDocuments(target, 'unix:/w.sock', false).proxy.hash);
  });

  test('tracing of the environment reaches both programs, unless the manifest says its own', () => {
    const tracing = { endpoint: 'http://localhost:4318', sampling: 1 };
    const adjustments = { processes: undefined, reload: false, tracing };
    const { worker, proxy } = makeDocuments(makeTarget(loaded({}), adjustments), 'unix:/w.sock', false);
    expect([worker.tracing, proxy.tracing]).toEqual(Array(2).fill({ endpoint: 'http://localhost:4318', ratio: 1 }));
    const own = { endpoint: 'http://collector:4318', sampling: 0.5 };
    expect(makeTarget(loaded({ tracing: own }), adjustments).webApp.spec.tracing).toEqual(own);
    expect(makeTarget(loaded({}), { processes: undefined, reload: false }).webApp.spec).not.toHaveProperty('tracing');
  });

  test('--reload leaves the concurrency of Node alone', () => {
    const target = makeTarget(loaded({ app: 'server.js' }), { processes: undefined, reload: true });
    expect(target.webApp.spec.workers).toMatchObject({ processes: 1 });
    expect(target.webApp.spec.workers.threads).toBeUndefined();
  });
});

describe('several WebApps', () => {
  const named = (...names: string[]) => names.map((name) => ({ name }));

  test('what an edit starts, stops and changes', () => {
    const plan = planEdit(named('a', 'b'), named('b', 'c'));
    expect(plan.stop).toEqual(named('a'));
    expect(plan.start).toEqual(named('c'));
    expect(plan.apply).toEqual([[{ name: 'b' }, { name: 'b' }]]);
  });

  test.each<[number, number[], number, number[]]>([
    [8000, [], 3, [8000, 8001, 8002]],
    [8000, [8000, 8002], 2, [8001, 8003]],
    [0, [41234], 2, [0, 0]],
    [8000, [], 0, []],
  ])('ports from %d, %j in use, %d wanted', (base, used, howMany, wanted) => {
    expect(allotPorts(base, new Set(used), howMany)).toEqual(wanted);
  });
});

describe('lines of a stream', () => {
  const split = (...chunks: (string | Buffer)[]): string[] => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const chunk of chunks) splitter.take(Buffer.from(chunk as string));
    splitter.end();
    return lines;
  };

  test.each<[string, (string | Buffer)[], string[]]>([
    ['whole lines', ['a\nb\n'], ['a', 'b']],
    ['a line in pieces', ['a', 'b', '\nc'], ['ab', 'c']],
    ['empty lines', ['\n\n'], ['', '']],
    ['a character in pieces', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], ['é']],
  ])('%s', (_, chunks, wanted) => {
    expect(split(...chunks)).toEqual(wanted);
  });

  test('a line without end is handed on in pieces', () => {
    const lines = split('x'.repeat(200_000));
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('')).toHaveLength(200_000);
  });
});

test('who listens on a port, from /proc/net/tcp', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
   2: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
`;
  expect(listeningInodes(table, 8000)).toEqual(['111']);
  expect(listeningInodes(table, 8001)).toEqual(['333']);
  expect(listeningInodes('', 8000)).toEqual([]);
});

describe('why a program cannot start', () => {
  const record = (fields: object) => ({ level: 'error' as const, msg: 'cannot start', fields: { ...fields } });
  const exit = { code: 3, signal: null };

  test('the application', () => {
    const failure = new StartFailure('worker');
    failure.take(record({ code: 'BOOT_FAILED', reason: 'No module', mend: 'install', traceback: 'Traceback' }));
    expect(failure.toFailure(exit)).toMatchObject({
      code: 'APPLICATION_FAILED',
      message: 'No module',
      mend: 'install',
      detail: 'Traceback',
    });
  });

  test('the program', () => {
    const failure = new StartFailure('worker');
    failure.take(record({ code: 'CONFIG_INVALID', reason: 'bad', mend: 'mend' }));
    expect(failure.toFailure(exit)).toMatchObject({ code: 'PROGRAM_FAILED', message: 'the worker cannot start: bad' });
  });

  test('nobody knows', () => {
    const failure = new StartFailure('proxy');
    failure.take(record({ reason: 'a request failed' }));
    expect(failure.toFailure({ code: null, signal: 'SIGKILL' }).message).toBe(
      'the proxy was ended by SIGKILL before it could start',
    );
  });
});

test('waiting for news ends when it holds, when time is over, and when nothing comes any more', async () => {
  let now = 0;
  const news = new News(() => now);
  let value = 0;
  const held = news.until(() => value === 1);
  news.tell();
  expect(news.isAwaited).toBe(false);
  await Promise.resolve();
  expect(news.isAwaited).toBe(true);
  value = 1;
  news.tell();
  expect(await held).toBe(true);
  const late = news.until(() => false, 100);
  now = 100;
  news.tell();
  expect(await late).toBe(false);
  const closed = news.until(() => false);
  news.close();
  expect(await closed).toBe(false);
});

test('the first request to stop is not the second', async () => {
  let now = 0;
  const stops = new StopRequests(() => now);
  expect(stops.requested).toBe(false);
  stops.take();
  expect(stops.requested).toBe(true);
  expect(stops.signal.aborted).toBe(true);
  await stops.first;
  const hasSecond = async (): Promise<boolean> =>
    Promise.race([stops.second.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
  stops.take(); // npm passes the same Ctrl-C on
  now = 1_000;
  stops.takeFirst(); // the terminal goes
  expect(await hasSecond()).toBe(false);
  stops.take();
  stops.take();
  await stops.second;
});
