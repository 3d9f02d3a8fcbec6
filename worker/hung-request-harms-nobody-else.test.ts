import { afterEach, describe, expect, inject, test } from 'vitest';
import { ANY_PORT, EXPRESS_APP, FLASK_APP, Load, until, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
let load: Load | undefined;
afterEach(async () => {
  await load?.stop();
  await worker?.close();
});

const start = async (...args: string[]): Promise<WorkerUnderTest> => {
  worker = new WorkerUnderTest({
    files: { 'app.py': FLASK_APP, 'app.js': EXPRESS_APP },
    args: [...ANY_PORT, ...args],
    env: { WEBAPP_PYTHON: inject('python') },
  });
  return worker.listening();
};

describe.each(['app:app', 'app.js'])('%s', (app) => {
  test('a hung request gets 504, its process alone is replaced, and the death names it', async () => {
    const started = await start('-w', '2', '-t', '1', app);
    await started.ready(2);
    expect(await started.ask('/hang?token=x')).toMatchObject({ status: 504 });
    await until('its death', async () => (await started.status()).deaths.length === 1);
    expect((await started.status()).deaths[0]).toMatchObject({
      cause: 'timeout',
      message: expect.stringMatching(/GET \/hang took longer than 1 s/),
    });
    await started.ready(2);
    expect((await started.status()).list.some(({ id }) => id <= 2)).toBe(true);
  });

  test('a crash in native code is answered 502 and stated with its signal and its request', async () => {
    const started = await start('-w', '2', app);
    await started.ready(2);
    expect((await started.ask('/crash', { method: 'POST' })).status).toBe(405 - (app === 'app.js' ? 1 : 0));
    expect((await started.ask('/crash')).status).toBe(502);
    // A GET is asked once more: it brings down two.
    await until('both deaths', async () => (await started.status()).deaths.length === 2);
    for (const death of (await started.status()).deaths)
      expect(death).toMatchObject({
        cause: 'signal',
        signal: 'SIGSEGV',
        message: expect.stringMatching(/was killed by a signal: SIGSEGV .* while it served GET \/crash/),
      });
    await started.ready(2);
  });
});

test('requests behind a blocked event loop are asked again elsewhere, as soon as it is known to be blocked', async () => {
  const started = await start('-w', '1', '-t', '6', 'app.js');
  await started.ready(1);
  const hung = started.ask('/hang');
  await until('the loop to be blocked for a while', async () => {
    const [process] = (await started.status()).list;
    return (process?.requests[0]?.ms ?? 0) > 4_000;
  });
  const behind = Array.from({ length: 5 }, () => started.ask('/'));
  expect((await hung).status).toBe(504);
  expect((await Promise.all(behind)).map(({ status }) => status)).toEqual(Array(5).fill(200));
});

test('threads beside the hung one finish what they have; then the stacks of the process are written', async () => {
  const started = await start('-w', '1', '--threads', '2', '-t', '2', 'app:app');
  await started.ready(1);
  const hung = started.ask('/hang');
  const neighbour = until('the hung one to run for a while', async () => {
    const [process] = (await started.status()).list;
    return (process?.requests[0]?.ms ?? 0) > 1_000;
  }).then(() => started.ask('/slow?s=1.5'));
  expect((await hung).status).toBe(504);
  expect(await neighbour).toMatchObject({ status: 200, text: 'slow' });
  await until('the death', async () => (await started.status()).deaths.length === 1);
  expect(started.output).toMatch(/line \d+ in hang/);
});

test('processes are recycled after their share of requests, and no request notices', async () => {
  const started = await start('-w', '2', '--max-requests', '40', '--max-requests-jitter', '10', 'app:app');
  await started.ready(2);
  load = new Load(started, '/', 4);
  await until('three of them', async () => {
    const { deaths } = await started.status();
    return deaths.filter(({ cause }) => cause === 'max-requests').length >= 3;
  });
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(new Set((await started.status()).deaths.map(({ cause }) => cause))).toEqual(new Set(['max-requests']));
});
