// A fake program stands in: what a child process may do, and what is made of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { checkPort, holderOf } from './port.ts';
import { type Exit, Program } from './program.ts';

interface Seen {
  program: Program;
  lines: string[];
  records: string[];
  downs: { exit: Exit; again: boolean }[];
}

function start(script: string): Seen {
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  const file = join(folder, 'program.mjs');
  writeFileSync(file, script);
  const seen = { lines: [] as string[], records: [] as string[], downs: [] as Seen['downs'] };
  const program = new Program(
    { executable: process.execPath, args: () => [file], environment: { PATH: process.env['PATH'] } },
    {
      onRecord: ({ level, msg }) => seen.records.push(`${level} ${msg}`),
      onLine: (line, stream) => seen.lines.push(`${stream} ${line}`),
      onDown: (exit, againInMs) => seen.downs.push({ exit, again: againInMs !== null }),
    },
    () => performance.now(),
  );
  onTestFinished(async () => {
    await program.kill();
    rmSync(folder, { recursive: true });
  });
  program.start();
  return { program, ...seen };
}

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 25_000, interval: 20 });
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const WAIT = 'setInterval(() => {}, 1000);';

test('its own log is told from everything else', async () => {
  const record = JSON.stringify({ time: '2026-01-01T00:00:00.000Z', level: 'warn', msg: 'slow' });
  const { lines, records } = start(
    `console.log('out'); console.error('err'); console.error(${JSON.stringify(record)}); process.stdout.write('no newline');`,
  );
  await eventually(() =>
    expect(lines).toEqual(expect.arrayContaining(['stdout out', 'stdout no newline', 'stderr err'])),
  );
  expect(records).toEqual(['warn slow']);
});

test('one that ends before it is established is not started again', async () => {
  const { program, downs } = start('process.exit(3)');
  await eventually(() => expect(downs).toEqual([{ exit: { code: 3, signal: null }, again: false }]));
  await program.stop();
});

test('one that ends later is started again', async () => {
  const { program, downs, lines } = start(`console.log('up'); ${WAIT}`);
  await eventually(() => expect(lines).toHaveLength(1));
  program.established = true;
  program.signal('SIGKILL');
  await eventually(() => expect(lines).toHaveLength(2));
  expect(downs).toEqual([{ exit: { code: null, signal: 'SIGKILL' }, again: true }]);
});

test('asked to stop, it may finish, and is not started again', async () => {
  const { program, downs, lines } = start(
    `process.on('SIGTERM', () => { console.log('done'); process.exit(0); }); console.log('up'); ${WAIT}`,
  );
  await eventually(() => expect(lines).toEqual(['stdout up']));
  program.established = true;
  await Promise.all([program.stop(), program.stop()]);
  expect(lines).toEqual(['stdout up', 'stdout done']);
  expect(downs).toEqual([]);
});

test('killed, what it started goes too', async () => {
  const { program, lines } = start(`
    import { spawn } from 'node:child_process';
    process.on('SIGTERM', () => {});
    console.log(spawn(process.execPath, ['-e', '${WAIT}']).pid); ${WAIT}`);
  await eventually(() => expect(lines).toHaveLength(1));
  const pid = Number(lines[0]?.split(' ')[1]);
  expect(isAlive(pid)).toBe(true);
  await program.kill();
  await eventually(() => expect(isAlive(pid)).toBe(false));
});

test('an executable that is not there is an end like any other', async () => {
  const downs: Exit[] = [];
  const events = { onRecord: () => {}, onLine: () => {}, onDown: (exit: Exit) => downs.push(exit) };
  const program = new Program({ executable: '/not/there', args: () => [], environment: {} }, events, () => 0);
  program.start();
  await eventually(() => expect(downs).toHaveLength(1));
  await program.stop();
});

test('its standard input ends when we do: it is a pipe that nothing is written to', async () => {
  const { program, lines } = start(
    `process.stdin.on('close', () => process.exit(0)).resume(); console.log('up'); ${WAIT}`,
  );
  await eventually(() => expect(lines).toHaveLength(1));
  expect(program.pid && isAlive(program.pid)).toBe(true);
});

test('a taken port says who has it, and which one can be had', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  expect(holderOf(port)).toMatchObject({ pid: process.pid });
  await expect(checkPort('127.0.0.1', port)).rejects.toMatchObject({
    code: 'ADDRESS_UNUSABLE',
    message: expect.stringMatching(new RegExp(`^127.0.0.1:${port} is taken by .+ \\(process ${process.pid}\\)$`)),
    mend: expect.stringMatching(/--port \d+$/),
  });
  await expect(checkPort('127.0.0.1', 0)).resolves.toBeUndefined();
  await expect(checkPort('203.0.113.1', port)).rejects.toMatchObject({ code: 'ADDRESS_UNUSABLE' });
});
