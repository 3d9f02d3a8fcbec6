import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { EXIT_INTERNAL } from './failure.ts';
import { ANY_PORT, EXPRESS_APP, FLASK_APP, isAlive, Load, until, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
let load: Load | undefined;
afterEach(async () => {
  await load?.stop();
  await worker?.close();
});

const start = async (...args: string[]): Promise<WorkerUnderTest> => {
  worker = new WorkerUnderTest({
    files: { 'app.py': FLASK_APP, 'app.js': EXPRESS_APP },
    args: ['--bind', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
    env: { WEBAPP_PYTHON: inject('python') },
  });
  return worker.listening();
};

describe.each(['app:app', 'app.js'])('SIGTERM: %s', (app) => {
  test('what runs and what waits is finished; then it ends with 0 and leaves nothing', async () => {
    const started = await start('-w', '1', '--threads', '1', app);
    await started.ready(1);
    const pids = (await started.status()).list.map(({ pid }) => pid);
    const asked = Promise.all(Array.from({ length: 6 }, () => started.ask('/slow?s=0.2')));
    await until('one running and five waiting', async () => (await started.status()).queue.length === 5);
    started.kill('SIGTERM');
    expect((await asked).map(({ status, text }) => `${status} ${text}`)).toEqual(Array(6).fill('200 slow'));
    expect(await started.ended()).toBe(0);
    expect(pids.some(isAlive)).toBe(false);
  });
});

test.each(['app:app', 'app.js'])(
  'Ctrl-C in a terminal, which reaches the processes too, finishes what runs: %s',
  async (app) => {
    const started = await start('-w', '2', app);
    await started.ready(2);
    const asked = started.ask('/slow?s=1');
    await until('it to run', async () => (await started.status()).processes.busy === 1);
    started.interruptGroup();
    expect(await asked).toMatchObject({ status: 200, text: 'slow' });
    expect(await started.ended()).toBe(0);
    expect(started.output).not.toMatch(/KeyboardInterrupt/);
  },
);

test.each(['app:app', '--preload app:app', 'app.js'])(
  'asked to stop while it starts, it ends with 0: %s',
  async (app) => {
    const started = await start('-w', '2', ...app.split(' '));
    started.kill('SIGTERM');
    expect(await started.ended()).toBe(0);
    expect(started.line('level', 'error')).toBeUndefined();
  },
);

test('it is not ready at once, and takes requests for the drain delay', async () => {
  const started = await start('-w', '2', '--drain-delay', '1s', 'app:app');
  await started.ready(2);
  load = new Load(started, '/', 3);
  await load.goOn(10);
  started.kill('SIGTERM');
  await until('not to be ready', async () => (await started.askAdmin('/readyz')).status === 503);
  expect((await started.status()).state).toBe('draining');
  await load.goOn(30);
  expect(load.failures).toEqual([]);
  await load.stop();
  expect(await started.ended()).toBe(0);
});

test('a request that does not end in time is cut, and the worker ends all the same', async () => {
  const started = await start('-w', '1', '--graceful-timeout', '1', 'app:app');
  await started.ready(1);
  const [{ pid } = { pid: 0 }] = (await started.status()).list;
  const cut = expect(started.ask('/hang')).rejects.toThrow();
  await until('it to run', async () => (await started.status()).processes.busy === 1);
  started.kill('SIGTERM');
  expect(await started.ended()).toBe(0);
  await cut;
  expect(isAlive(pid)).toBe(false);
});

describe('at once', () => {
  test.each<{ name: string; signals: NodeJS.Signals[]; code: number }>([
    { name: 'SIGQUIT', signals: ['SIGQUIT'], code: 0 },
    { name: 'a second SIGINT', signals: ['SIGINT', 'SIGINT'], code: 130 },
  ])('$name, whatever runs', async ({ signals, code }) => {
    const started = await start('-w', '2', 'app:app');
    await started.ready(2);
    const pids = (await started.status()).list.map(({ pid }) => pid);
    const asked = started.ask('/hang').then(
      ({ status }) => status,
      () => 'cut',
    );
    await until('it to run', async () => (await started.status()).processes.busy === 1);
    for (const signal of signals) {
      started.kill(signal);
      await until('the signal to be heard', async () => started.hasEnded || (await drains(started)));
    }
    expect(await started.ended()).toBe(code);
    expect(['cut', 502]).toContain(await asked);
    await until('the end of its processes', () => !pids.some(isAlive));
  });
});

async function drains(started: WorkerUnderTest): Promise<boolean> {
  return (await started.status().catch(() => null))?.state !== 'running';
}

test('TTIN and TTOU add and remove a process', async () => {
  const started = await start('-w', '1', 'app.js');
  await started.ready(1);
  started.kill('SIGTTIN');
  await started.ready(2);
  started.kill('SIGTTOU');
  await started.ready(1);
});

test('USR1 and USR2 do no harm', async () => {
  const started = await start('-w', '1', 'app.js');
  await started.ready(1);
  started.kill('SIGUSR1');
  started.kill('SIGUSR2');
  await until('both to be heard', () => started.lines.filter(({ msg }) => `${msg}`.startsWith('SIGUSR')).length === 2);
  expect((await started.ask('/')).status).toBe(200);
  expect(started.output).not.toMatch(/Debugger/);
});

test('an error inside the program that nobody caught is said, and ends it and its processes', async () => {
  worker = new WorkerUnderTest({
    files: { 'app.py': FLASK_APP },
    args: [...ANY_PORT, '-w', '2', 'app:app'],
    env: {
      WEBAPP_PYTHON: inject('python'),
      NODE_OPTIONS: `--import=data:text/javascript,process.on('SIGWINCH',()=>{throw(new(Error)('injected'))})`,
    },
  });
  const started = await worker.ready(2);
  const pids = (await started.status()).list.map(({ pid }) => pid);
  started.kill('SIGWINCH');
  expect(await started.ended()).toBe(EXIT_INTERNAL);
  expect(started.line('msg', 'uncaught error')).toMatchObject({
    code: 'INTERNAL',
    reason: expect.stringMatching(/injected/),
  });
  await until('the end of its processes', () => !pids.some(isAlive));
  expect(readdirSync(started.temporary)).toEqual([]);
});
