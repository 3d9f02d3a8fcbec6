import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogSink } from './log-sink.ts';
import { eventually } from './test-door.ts';

function place(name: string): string {
  return join(mkdtempSync(join(tmpdir(), 'sink-')), name);
}

test('lines arrive whole and in order, however many', async () => {
  const file = place('a.log');
  const sink = new LogSink({ file });
  let wanted = '';
  for (let i = 0; i < 20_000; i++) {
    const line = `line ${i} ${'x'.repeat(i % 50)}\n`;
    wanted += line;
    sink.write(line);
  }
  await sink.close();
  expect(readFileSync(file, 'utf8')).toBe(wanted);
  expect(sink.dropped).toBe(0);
});

test('a line is written soon, without being followed by others', async () => {
  const file = place('a.log');
  const sink = new LogSink({ file });
  sink.write('one\n');
  await eventually(() => readFileSync(file, 'utf8') === 'one\n');
  await sink.close();
});

test('a sink that nobody reads from costs lines, which are counted, and holds up nobody', async () => {
  const pipe = place('pipe');
  execFileSync('mkfifo', [pipe]);
  // Both ends, so that opening does not wait; nothing is read from it.
  await using reader = await open(pipe, 'r+');
  const sink = new LogSink({ file: pipe });
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 10_000; i++) {
    sink.write(line);
    if (i % 64 === 0) await new Promise(setImmediate);
  }
  // 10 MiB came; 4 MiB are being written at most, and 4 MiB wait.
  expect(sink.dropped).toBeGreaterThan(1000);
  // Now somebody reads: what was held comes, in whole lines.
  const buffer = Buffer.alloc(64 * 1024);
  let read = 0;
  const held = (10_000 - sink.dropped) * 1024;
  while (read < held) {
    read += (await reader.read(buffer)).bytesRead;
  }
  expect(read).toBe(held);
  await sink.close();
});

test('a failure to write is told, and its lines are counted', async () => {
  const errors: string[] = [];
  const sink = new LogSink({ file: '/dev/full' });
  sink.onError = (error) => errors.push((error as NodeJS.ErrnoException).code ?? '');
  sink.write('one\n');
  sink.write('two\n');
  await sink.close();
  expect(errors).toEqual(['ENOSPC']);
  expect(sink.dropped).toBe(2);
});

test('a file that cannot be opened is an error at once', () => {
  expect(() => new LogSink({ file: join(place('x'), 'y') })).toThrow(/ENOENT/);
});

test('when the file cannot be opened anew, the old one goes on', async () => {
  const file = place('a.log');
  const errors: string[] = [];
  const sink = new LogSink({ file });
  sink.onError = (error) => errors.push((error as NodeJS.ErrnoException).code ?? '');
  const folder = join(file, '..');
  const keep = openSync(file, 'r');
  rmSync(folder, { recursive: true });
  sink.reopen();
  sink.write('kept\n');
  await sink.close();
  expect(errors).toEqual(['ENOENT']);
  expect(readFileSync(keep, 'utf8')).toBe('kept\n');
  closeSync(keep);
});

test('closed twice is closed once, and later lines are counted as dropped', async () => {
  const sink = new LogSink({ file: place('a.log') });
  await Promise.all([sink.close(), sink.close()]);
  sink.write('late\n');
  expect(sink.dropped).toBe(1);
});
