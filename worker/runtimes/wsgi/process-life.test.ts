// How a Python process comes, goes and dies, whatever the application is at.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { makeRequest } from './sample-request.ts';
import { ask, at, isAlive, Recorder, Trial, type TrialOptions, type TrialProcess, until } from './trial.ts';

const directory = fileURLToPath(new URL('fixtures', import.meta.url));
const open: Trial[] = [];
afterEach(async () => {
  for (const trial of open.splice(0)) await trial.close();
});

function makeTrial(options: Partial<TrialOptions> = {}): Trial {
  const trial = new Trial({ python: inject('python'), app: 'busy:app', directory, ...options });
  open.push(trial);
  return trial;
}

/** Sends a request and waits until the application is at it. */
async function begin(trial: Trial, process: TrialProcess, path: string, slot = process.slot): Promise<Recorder> {
  const mark = join(trial.folder, `mark-${Math.random()}`);
  const recorder = new Recorder();
  slot.send(makeRequest({ target: `${path}?${mark}` }), recorder);
  await until(() => existsSync(mark));
  return Object.assign(recorder, { mark });
}

describe('a process', () => {
  test('tells its pid, then that it is ready, then its end', async () => {
    const trial = makeTrial();
    const process = await trial.start().ready();
    expect((await process.ask({ target: '/pid' })).text).toBe(`${process.pid}`);
    process.child?.stop();
    expect(await process.exited()).toEqual({ code: 0, signal: null });
    expect(process.told).toEqual(['pid', 'ready', 'exit']);
  });

  test('runs in the folder of its application and sees nothing of ours', async () => {
    const process = await makeTrial().start().ready();
    const environment = await process.ask({ target: '/environment' });
    expect(environment.text).toBe(`|${directory.replace(/\/$/, '')}|${directory.replace(/\/$/, '')}`);
    expect((await process.ask({ target: '/modules' })).text).toBe('[]');
    expect((await process.ask({ target: '/stdin' })).text).toBe("''");
  });

  test('with several slots serves several requests at a time', async () => {
    const trial = makeTrial({ threads: 3 });
    const process = await trial.start().ready();
    expect(process.slots).toHaveLength(3);
    const waiting = await begin(trial, process, '/gate', at(process.slots, 0));
    expect((await ask(at(process.slots, 1), { target: '/thread' })).text).toBe('False');
    expect((await ask(at(process.slots, 2), { target: '/thread' })).text).toBe('False');
    expect(waiting.ended).toBe(false);
    release(waiting);
    await until(() => waiting.ended);
  });

  test('with one slot serves in the main thread', async () => {
    const process = await makeTrial().start().ready();
    expect((await process.ask({ target: '/thread' })).text).toBe('True');
  });

  test('leaves programs that it starts interruptible', async () => {
    const process = await makeTrial().start().ready();
    expect((await process.ask({ target: '/interrupts' })).text).toBe('False');
  });

  test('is not taken for one that a stranger pretends to be', async () => {
    const trial = makeTrial();
    const process = await trial.start().ready();
    const { connect } = await import('node:net');
    const [socketFile = ''] = (await import('node:fs')).readdirSync(trial.runDirectory);
    const socket = connect(join(trial.runDirectory, socketFile));
    const hello = Buffer.from('\0\0\0\x0d\x01\0\0\0wrong\x001\0control', 'latin1');
    hello.writeUInt32BE(hello.length - 8, 0);
    socket.write(hello);
    await new Promise((resolve) => socket.on('close', resolve));
    expect((await process.ask({ target: '/pid' })).status).toBe(200);
  });
});

describe('asked to stop', () => {
  test('it finishes what runs and runs what is to run at exit', async () => {
    const trial = makeTrial({ env: { TRIAL_ATEXIT: '1' } });
    const process = await trial.start().ready();
    const waiting = await begin(trial, process, '/gate');
    process.child?.stop();
    process.child?.stop();
    release(waiting);
    expect(await process.exited()).toEqual({ code: 0, signal: null });
    expect(waiting).toMatchObject({ text: 'passed', failed: '' });
    expect(trial.out).toContain('atexit ran');
  });

  test('with several slots it finishes them all', async () => {
    const trial = makeTrial({ threads: 2 });
    const process = await trial.start().ready();
    const waiting = await begin(trial, process, '/gate', at(process.slots, 1));
    process.child?.stop();
    release(waiting);
    expect(await process.exited()).toEqual({ code: 0, signal: null });
    expect(waiting).toMatchObject({ text: 'passed', failed: '' });
  });

  test('while it imports, it ends at once', async () => {
    const mark = join(makeTrial().folder, 'importing');
    const process = makeTrial({ env: { TRIAL_SLOW_IMPORT: mark } }).start();
    await until(() => existsSync(mark));
    process.child?.stop();
    expect(await process.exited()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(process.told).toEqual(['pid', 'exit']);
  });

  test('by SIGTERM from outside it finishes what runs', async () => {
    const trial = makeTrial();
    const process = await trial.start().ready();
    const waiting = await begin(trial, process, '/gate');
    globalThis.process.kill(process.pid, 'SIGTERM');
    release(waiting);
    expect(await process.exited()).toEqual({ code: 0, signal: null });
    expect(waiting).toMatchObject({ text: 'passed', failed: '' });
  });

  test('by SIGTERM from outside while idle it leaves', async () => {
    for (const threads of [1, 3]) {
      const process = await makeTrial({ threads }).start().ready();
      globalThis.process.kill(process.pid, 'SIGTERM');
      expect(await process.exited()).toEqual({ code: 0, signal: null });
    }
  });

  test('an application’s own handler of SIGTERM stays', async () => {
    const trial = makeTrial({ env: { TRIAL_TERM: '1' } });
    const process = await trial.start().ready();
    globalThis.process.kill(process.pid, 'SIGTERM');
    await until(() => trial.out.includes('own handler ran'));
    expect((await process.ask({ target: '/pid' })).status).toBe(200);
    process.child?.stop();
    expect(await process.exited()).toEqual({ code: 0, signal: null });
  });

  test('by SIGINT or SIGHUP, which a terminal sends to all, it goes on', async () => {
    const process = await makeTrial().start().ready();
    globalThis.process.kill(process.pid, 'SIGINT');
    globalThis.process.kill(process.pid, 'SIGHUP');
    expect((await process.ask({ target: '/pid' })).status).toBe(200);
  });
});

describe('a death', () => {
  test.each([
    ['/die', { code: null, signal: 'SIGKILL' }],
    ['/exit', { code: 9, signal: null }],
  ])('by %s in a request fails that request and is told', async (target, exit) => {
    const process = await makeTrial().start().ready();
    expect(await process.ask({ target, wantAccept: true })).toMatchObject({
      told: ['accepted', 'failed'],
      failed: 'died',
    });
    expect(await process.exited()).toEqual(exit);
  });

  test('by kill -9 while idle is told, and a request sent after fails', async () => {
    const process = await makeTrial().start().ready();
    const { slot } = process;
    globalThis.process.kill(process.pid, 'SIGKILL');
    expect(await process.exited()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await ask(slot)).toMatchObject({ told: ['failed'], failed: 'died' });
  });

  test('between sending and accepting is seen as not accepted', async () => {
    const process = await makeTrial().start().ready();
    globalThis.process.kill(process.pid, 'SIGSTOP');
    const recorder = new Recorder();
    process.slot.send(makeRequest({ method: 'POST', wantAccept: true }), recorder);
    process.child?.kill(false);
    await until(() => recorder.ended);
    expect(recorder).toMatchObject({ told: ['failed'], failed: 'died' });
  });

  test('that leaves a program behind is seen all the same', async () => {
    const trial = makeTrial();
    const process = await trial.start().ready();
    const left: number[] = [];
    for (const target of [`/stray?${join(trial.folder, 'stray')}`, '/fork', '/cfork'])
      left.push(Number((await process.ask({ target })).text));
    try {
      const waiting = await begin(trial, process, '/sleep');
      process.child?.kill(false);
      await until(() => waiting.ended);
      expect(waiting.failed).toBe('died');
      await process.exited();
      expect(left.map(isAlive)).toEqual([true, true, true]);
    } finally {
      for (const pid of left) globalThis.process.kill(pid, 'SIGKILL');
    }
  });

  test.each(['/loop', '/sleep', '/ccall'])('asked for with a dump in %s shows the stack', async (path) => {
    const trial = makeTrial();
    const process = await trial.start().ready();
    await begin(trial, process, path);
    process.child?.kill(true);
    expect(await process.exited()).toEqual({ code: null, signal: 'SIGABRT' });
    expect(trial.err).toMatch(
      new RegExp(`Fatal Python error: Aborted[^]*busy\\.py", line \\d+ in do_${path.slice(1)}\n`),
    );
  });

  test('asked for with a dump shows all threads', async () => {
    const trial = makeTrial({ threads: 2 });
    const process = await trial.start().ready();
    await begin(trial, process, '/sleep', at(process.slots, 0));
    await begin(trial, process, '/loop', at(process.slots, 1));
    process.child?.kill(true);
    await process.exited();
    expect(trial.err).toContain('in do_sleep');
    expect(trial.err).toContain('in do_loop');
  });
});

describe('killing the supervisor with -9 leaves no orphan', () => {
  const marks = (trial: Trial, ...paths: string[]) =>
    paths.map((path, index) => `${path}?${join(trial.folder, `mark${index}`)}`);

  test.each([
    ['when they are idle', { targets: [] as string[], idle: 2 }],
    ['in a loop, a sleep and a C call', { targets: ['/loop', '/sleep', '/ccall'], idle: 0 }],
    ['in threads', { targets: ['/loop', '/sleep', '/ccall'], idle: 0, threads: 2 }],
    ['forked from a preloaded parent', { targets: ['/loop', '/sleep', '/ccall'], idle: 1, preload: true }],
  ])('%s', async (_name, { targets, idle, ...options }) => {
    const trial = makeTrial(options);
    const asked = [...marks(trial, ...targets), ...Array.from({ length: idle }, () => '')];
    const { supervisor, pids } = await startSupervisor(trial, asked);
    for (const index of targets.keys()) await until(() => existsSync(join(trial.folder, `mark${index}`)));
    expect(pids.map(isAlive)).toEqual(pids.map(() => true));
    supervisor.kill('SIGKILL');
    await until(() => !pids.some(isAlive));
  });

  test('while they import', async () => {
    const mark = join(makeTrial().folder, 'importing');
    const trial = makeTrial({ env: { TRIAL_SLOW_IMPORT: mark } });
    const { supervisor, pids } = await startSupervisor(trial, ['']);
    await until(() => existsSync(mark));
    expect(pids.map(isAlive)).toEqual([true]);
    supervisor.kill('SIGKILL');
    await until(() => !pids.some(isAlive));
  });
});

async function startSupervisor(trial: Trial, targets: readonly string[]) {
  const program = fileURLToPath(new URL('fixtures/lone-supervisor.ts', import.meta.url));
  const { spec, runDirectory } = trial;
  const supervisor = spawn(process.execPath, [program, JSON.stringify({ spec, runDirectory, targets })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  supervisor.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await until(() => printed.endsWith('\n'));
  return { supervisor, pids: JSON.parse(printed) as number[] };
}

function release(waiting: Recorder): void {
  writeFileSync(`${(waiting as Recorder & { mark: string }).mark}.open`, '');
}
