// However it ends, nothing of it goes on running.
import { describe, expect, test } from 'vitest';
import { descendants, isAlive, SHOPS, startStack, until } from './stack.ts';

const allGone = (pids: readonly number[]): Promise<true> =>
  until(`end of ${pids.join(', ')}`, () => (pids.some(isAlive) ? undefined : true));

describe.each(SHOPS)('$name', ({ name, app }) => {
  test('Ctrl-C finishes what is being served, ends with code 0 and leaves no process', async () => {
    const running = await startStack(`examples/${name}`, { app, workers: { processes: 2 } });
    const below = descendants(running.pid);
    const slow = fetch(`${running.url}/slow?seconds=2`);
    await until('the request runs', async () => ((await running.workerStatus()).slots.busy === 1 ? true : undefined));
    const code = running.stop();
    expect((await slow).status).toBe(200);
    expect(await code).toBe(0);
    await allGone(below);
  });

  test('kill -9 of the supervising worker leaves no orphan, and the stack comes back', async () => {
    const running = await startStack(`examples/${name}`, { app, workers: { processes: 2 } });
    const { worker } = running.programs();
    const orphans = descendants(worker);
    expect(orphans.length).toBeGreaterThanOrEqual(2);
    process.kill(worker, 'SIGKILL');
    await allGone(orphans);
    await until('an answer', async () => ((await fetch(`${running.url}/healthz`)).status === 200 ? true : undefined));
  });

  test('kill -9 of webapp up leaves no process', async () => {
    const running = await startStack(`examples/${name}`, { app, workers: { processes: 2 } });
    const below = descendants(running.pid);
    expect(below.length).toBeGreaterThanOrEqual(4);
    process.kill(running.pid, 'SIGKILL');
    await allGone(below);
  });
});
