import { PassThrough } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { endWithParent } from './parent-watch.ts';

afterEach(() => void vi.useRealTimers());

test('nothing happens while the other end is held, and all when it is let go: asked, asked again, ended', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const input = new PassThrough();
  const said: string[] = [];
  endWithParent(
    input,
    () => said.push('leave'),
    () => said.push('exit'),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(said).toEqual([]);
  input.end();
  await new Promise((resolve) => input.once('close', resolve));
  expect(said).toEqual(['leave']);
  vi.runAllTimers();
  expect(said).toEqual(['leave', 'leave', 'exit']);
});

test('an error of the pipe is its end', async () => {
  const input = new PassThrough();
  const left = vi.fn();
  endWithParent(input, left, () => {});
  input.destroy(new Error('EIO'));
  await vi.waitFor(() => expect(left).toHaveBeenCalled());
});
