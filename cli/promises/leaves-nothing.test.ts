import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test, vi } from 'vitest';
import { allGone, eventually, FLASK, folderOf, text, type Up, up } from './webapp-up.ts';

vi.setConfig({ testTimeout: 120_000 });

const runFolders = ({ pid }: Up): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`webapp-up-${pid}-`));

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s finishes what is being served, then leaves nothing',
  async (signal) => {
    const running = up(folderOf({ 'app.py': FLASK }));
    const url = await running.url('shop');
    const below = running.below();
    expect(below.length).toBeGreaterThanOrEqual(4);
    expect(runFolders(running)).toHaveLength(1);
    const slow = text(`${url}/slow`);
    await eventually(async () => expect((await fetch(`${url}/pid`)).ok).toBe(true));
    running.signal(signal);
    await running.says(/Finishing what is being served/);
    expect(await slow).toBe('slow');
    expect(await running.ended).toBe(0);
    await allGone(below);
    expect(runFolders(running)).toEqual([]);
  },
);

test('a second Ctrl-C ends at once', async () => {
  const running = up(folderOf({ 'app.py': FLASK.replace('time.sleep(2)', 'time.sleep(600)') }));
  const url = await running.url('shop');
  const below = running.below();
  const slow = fetch(`${url}/slow`).catch(() => 'cut');
  await fetch(`${url}/pid`);
  running.signal('SIGINT');
  await running.says(/Ctrl-C again stops at once/);
  // Two that come together are one, so a person presses again until it listens.
  const presses = setInterval(() => running.signal('SIGINT'), 400);
  expect(await running.ended).toBe(130);
  clearInterval(presses);
  expect(await slow).toBe('cut');
  await allGone(below);
  expect(runFolders(running)).toEqual([]);
});

test('Ctrl-C while it starts leaves nothing', async () => {
  const running = up(folderOf({ 'app.py': `import time\ntime.sleep(600)\n${FLASK}` }));
  await eventually(() => expect(running.below().length).toBeGreaterThanOrEqual(3));
  const below = running.below();
  running.signal('SIGINT');
  expect(await running.ended).toBe(130);
  await allGone(below);
});

test('kill -9 leaves no process, and the next run removes its folder', async () => {
  const running = up(folderOf({ 'app.py': FLASK }));
  await running.url('shop');
  const below = running.below();
  running.signal('SIGKILL');
  await running.ended;
  await allGone(below);
  expect(runFolders(running)).toHaveLength(1);
  const next = up(folderOf({ 'app.py': FLASK }));
  await next.url('shop');
  expect(runFolders(running)).toEqual([]);
});
