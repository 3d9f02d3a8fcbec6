// The first promise of DESIGN.md, on this machine: under a steady load of GETs, what happens to the processes and to the
// configuration is not seen by users. Each test prints its count.
import { describe, expect, test } from 'vitest';
import { type LoadReport, startLoad } from '../load.ts';
import { SHOPS, type Stack, startStack, until } from './stack.ts';

const LOAD_MS = 30_000;
const PER_SECOND = 300;

/** Loads `/api/goods` for 30 s while `disturb` runs. */
async function loadedWhile(name: string, running: Stack, disturb: (second: number) => unknown): Promise<LoadReport> {
  const load = startLoad({ url: `${running.url}/api/goods`, perSecond: PER_SECOND, expect: 'Teapot' });
  for (let second = 0; second < LOAD_MS / 1000; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await disturb(second);
  }
  const report = await load.stop();
  console.log(
    `${name}: ${report.sent} sent, ${report.sent - report.ok} failed ${JSON.stringify(report.failures)}, slowest ${Math.round(report.slowestMs)} ms`,
  );
  if (report.ok < report.sent) console.log(running.output().slice(-20_000));
  return report;
}

describe.each(SHOPS)('$name', ({ name, app }) => {
  test('a process killed every second fails no request', async () => {
    const running = await startStack(`examples/${name}`, { app, workers: { processes: 3 } });
    let kills = 0;
    const report = await loadedWhile(`${name}, kill -9`, running, async () => {
      const ready = (await running.workerStatus()).list.filter((process) => process.state === 'ready');
      const victim = ready[kills % Math.max(1, ready.length)];
      if (victim) {
        process.kill(victim.pid, 'SIGKILL');
        kills++;
      }
    });
    expect(kills).toBeGreaterThan(20);
    expect(report.failures).toEqual({});
    expect(report.ok).toBeGreaterThan((PER_SECOND * LOAD_MS) / 1000 / 2);
    const { deaths } = await running.workerStatus();
    expect(deaths[0]).toMatchObject({ cause: 'signal', signal: 'SIGKILL' });
  });

  test('3 → 8 → 2 processes fails no request', async () => {
    const spec = (processes: number): object => ({ app, workers: { processes } });
    const running = await startStack(`examples/${name}`, spec(3));
    const worker = running.programs().worker;
    const seen: number[] = [];
    const report = await loadedWhile(`${name}, resize`, running, async (second) => {
      if (second === 5) running.edit(spec(8));
      if (second === 17) running.edit(spec(2));
      seen.push((await running.workerStatus()).processes.ready);
    });
    expect(report.failures).toEqual({});
    expect(seen[0]).toBe(3);
    expect(Math.max(...seen)).toBe(8);
    await until('2 processes', async () => ((await running.workerStatus()).list.length === 2 ? true : undefined));
    expect(running.programs().worker).toBe(worker);
  });

  test('an edit of a proxy limit fails no request, and applies', async () => {
    const spec = (body: string): object => ({ app, workers: { processes: 3 }, proxy: { limits: { body } } });
    const running = await startStack(`examples/${name}`, spec('1Mi'));
    const upload = async (): Promise<number> =>
      (
        await fetch(`${running.url}/upload`, {
          method: 'POST',
          body: new Uint8Array(2 * 2 ** 20),
          headers: { 'content-type': 'application/octet-stream' },
        })
      ).status;
    const { proxy } = running.programs();
    expect(await upload()).toBe(413);
    const report = await loadedWhile(`${name}, limit edited`, running, (second) => {
      if (second % 10 === 5) running.edit(spec(second === 15 ? '1Mi' : '4Mi'));
    });
    expect(report.failures).toEqual({});
    expect(await upload()).toBe(200);
    expect(running.programs().proxy).toBe(proxy);
  });
});
