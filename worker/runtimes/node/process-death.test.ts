// How a Node application process ends, and what is told of the requests that were in it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { TestApp } from './test-app.ts';

const open: TestApp[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function start(text: string, options?: ConstructorParameters<typeof TestApp>[1]): Promise<TestApp> {
  const app = new TestApp({ 'server.js': text }, options);
  open.push(app);
  return await app.ready();
}

const HANG = 'module.exports = (req, res) => { if (req.url !== "/hang") res.end("ok") }';

describe('a POST whose process is killed with -9', () => {
  test('before the application began has not been accepted', async () => {
    const app = await start(HANG);
    await app.ask();
    process.kill(app.pid, 'SIGSTOP');
    const answer = app.send({ method: 'POST', target: '/' });
    process.kill(app.pid, 'SIGKILL');
    await answer.over;
    expect([answer.accepted, answer.failure]).toEqual([false, expect.stringMatching(/^died/)]);
  });

  test('as the first thing that the application does has been accepted', async () => {
    const app = await start('module.exports = () => process.kill(process.pid, "SIGKILL")');
    const answer = app.send({ method: 'POST', target: '/' });
    await answer.over;
    expect([answer.accepted, answer.failure]).toEqual([true, 'died: the process ended']);
  });

  test('takes all that run in it along, and is told once', async () => {
    const app = await start(HANG);
    const answers = [0, 1, 2].map((slot) => app.send({ method: 'POST', target: '/hang' }, slot));
    for (const answer of answers) await answer.until(() => answer.accepted);
    process.kill(app.pid, 'SIGKILL');
    for (const answer of answers) await answer.over;
    expect(answers.map(({ failure }) => failure)).toEqual(Array(3).fill('died: the process ended'));
    expect(await app.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(app.story).toEqual(['pid', 'ready', 'exit']);
  });
});

test('the end of a process is told after those of the requests in it, though this process hears of all at once', async () => {
  const app = await start(
    'module.exports = (req, res) => (req.url === "/die" ? process.kill(process.pid, "SIGKILL") : res.end())',
  );
  await app.ask(); // its connection is kept: one that is lost is tried anew
  const answer = app.send({ target: '/die' });
  const over = answer.over.then(() => app.story.push('request'));
  await new Promise(setImmediate);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  await Promise.all([over, app.exited]);
  expect(answer.failure).toBe('died: the process ended');
  expect(app.story).toEqual(['pid', 'ready', 'request', 'exit']);
});

describe('an error that nobody catches', () => {
  const throws = [
    ['thrown', 'setImmediate(() => { throw new Error("on purpose") })'],
    ['rejected', 'Promise.reject(new Error("on purpose"))'],
  ] as const;
  test.each(throws)('%s, ends the process as Node does', async (_how, statement) => {
    const app = await start(`module.exports = () => { ${statement} }`);
    const answer = app.send();
    await answer.over;
    expect(answer.failure).toBe('died: the process ended');
    expect(await app.exited).toEqual({ code: 1, signal: null });
  });

  test('but not when the application catches it', async () => {
    const app = await start(`process.on('uncaughtException', () => {});
      module.exports = (req, res) => { setImmediate(() => res.end('lives')); throw new Error('on purpose') }`);
    expect((await app.ask()).text).toBe('lives');
  });
});

describe('stop', () => {
  test('lets what runs finish, then exits with 0', async () => {
    const app = await start('module.exports = (req, res) => setTimeout(() => res.end("finished"), 200)');
    const answer = app.send({ method: 'POST', target: '/' });
    await answer.until(() => answer.accepted);
    app.child.stop();
    app.child.stop();
    await answer.over;
    expect(answer.text).toBe('finished');
    expect(await app.exited).toEqual({ code: 0, signal: null });
  });

  test('tells the application by SIGTERM, once nothing runs, and lets it say goodbye', async () => {
    const app = await start(`
      let running = 0;
      process.on('SIGTERM', () => setTimeout(() => process.exit(running === 0 ? 42 : 1), 50));
      module.exports = (req, res) => { running++; setTimeout(() => { running--; res.end('finished') }, 200) }`);
    const answer = app.send({ method: 'POST', target: '/' });
    await answer.until(() => answer.accepted);
    app.child.stop();
    await answer.over;
    expect(answer.text).toBe('finished');
    expect(await app.exited).toEqual({ code: 42, signal: null });
  });

  test('does not wait for ever for an application that hears SIGTERM and stays', async () => {
    const app = await start(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
      module.exports = (req, res) => res.end()`);
    app.child.stop();
    expect(await app.exited).toEqual({ code: 0, signal: null });
  });

  test('while it starts ends it, and is no boot failure', async () => {
    const app = new TestApp({ 'server.js': 'setInterval(() => {}, 1000)' });
    open.push(app);
    await expect.poll(() => app.pid).toBeGreaterThan(0);
    app.child.stop();
    expect(await app.exited).toEqual({ code: 0, signal: null });
    expect(app.story).toEqual(['pid', 'exit']);
  });
});

describe('a signal to the process itself', () => {
  test('SIGTERM is a stop', async () => {
    const app = await start(HANG);
    expect((await app.ask()).text).toBe('ok');
    process.kill(app.pid, 'SIGTERM');
    expect(await app.exited).toEqual({ code: 0, signal: null });
  });

  test('SIGTERM to an application that closes its server lets what runs finish', async () => {
    const app = await start(`
      const server = require('node:http').createServer((req, res) => setTimeout(() => res.end('finished'), 200));
      server.listen(3000);
      process.on('SIGTERM', () => server.close(() => process.exit(7)))`);
    const answer = app.send({ method: 'POST', target: '/' });
    await answer.until(() => answer.accepted);
    process.kill(app.pid, 'SIGTERM');
    await answer.over;
    expect(answer.text).toBe('finished');
    expect(await app.exited).toEqual({ code: 7, signal: null });
  });

  test('SIGINT is for the supervisor alone', async () => {
    const app = await start(HANG);
    process.kill(app.pid, 'SIGINT');
    expect((await app.ask()).text).toBe('ok');
  });
});

describe('an idle connection that the application closes', () => {
  test('costs no request', async () => {
    const app = await start(`
      const sockets = new Set();
      const server = require('node:http').createServer((req, res) => {
        sockets.add(req.socket);
        res.end(String(sockets.size), () => setImmediate(() => req.socket.destroy()));
      });
      server.keepAliveTimeout = 1;
      server.listen(3000)`);
    for (let turn = 1; turn <= 50; turn++) {
      const { text } = await app.ask({ method: 'POST', target: '/' });
      expect(text).toBe(`${turn}`);
    }
  });

  test('does not happen by a timeout of Node or of the application', async () => {
    const app = await start(`
      const server = require('node:http').createServer((req, res) => {
        const { keepAliveTimeout, headersTimeout, requestTimeout, timeout, maxRequestsPerSocket } = server;
        res.end(JSON.stringify([keepAliveTimeout, headersTimeout, requestTimeout, timeout, maxRequestsPerSocket]));
      });
      server.listen(3000);
      server.keepAliveTimeout = 65_000; server.headersTimeout = 66_000; server.setTimeout(1); server.maxRequestsPerSocket = 1`);
    expect(JSON.parse((await app.ask()).text)).toEqual([0, 0, 0, 0, 0]);
    expect((await app.ask()).all('connection')).toEqual([]);
  });
});

describe('a supervisor that is killed with -9 leaves no orphan', () => {
  const supervisors: ChildProcess[] = [];
  const files: string[] = [];
  afterEach(() => {
    for (const supervisor of supervisors.splice(0)) supervisor.kill('SIGKILL');
    for (const file of files.splice(0)) rmSync(file, { recursive: true, force: true });
  });

  /** A process that holds one application process. @returns both ids */
  async function supervise(text: string, nodeOptions: string): Promise<{ supervisor: number; child: number }> {
    const module = fileURLToPath(new URL('./test-app.ts', import.meta.url));
    const script = `
      const { TestApp } = await import(${JSON.stringify(module)});
      const app = await new TestApp({ 'server.js': process.argv[1] }, { env: { NODE_OPTIONS: process.argv[2] } }).ready();
      const answer = app.send({ method: 'POST', target: '/' });
      await answer.until(() => answer.accepted);
      console.log(JSON.stringify({ child: app.pid, folders: [app.directory, app.runDirectory] }));`;
    const args = ['--input-type=module', '-e', script, text, nodeOptions];
    const supervisor = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    supervisors.push(supervisor);
    const [line] = await once(supervisor.stdout, 'data');
    const { child, folders } = JSON.parse(String(line));
    files.push(...folders);
    return { supervisor: supervisor.pid ?? 0, child };
  }

  const cases = [
    ['waits', 'module.exports = () => {}', ''],
    ['blocks its event loop', 'module.exports = () => { for (;;); }', ''],
    [
      'blocks its event loop, and node:ffi is switched off',
      'module.exports = () => { for (;;); }',
      '--no-experimental-ffi',
    ],
  ] as const;
  test.each(cases)('that %s', async (_what, text, nodeOptions) => {
    const { supervisor, child } = await supervise(text, nodeOptions);
    expect(isRunning(child)).toBe(true);
    process.kill(supervisor, 'SIGKILL');
    await expect.poll(() => isRunning(child), { timeout: 20_000 }).toBe(false);
  });
});

/** A zombie does not run: who reaps an orphan is the machine's business. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
