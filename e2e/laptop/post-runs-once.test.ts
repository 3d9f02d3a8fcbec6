// A POST is never run twice, and never lost when it had not begun.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Stack, startStack, until } from './stack.ts';

async function startTally(app: string): Promise<{ stack: Stack; runs: () => string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'tally-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'tally');
  const env = [{ name: 'TALLY', value: file }];
  const stack = await startStack('e2e/laptop/apps/tally', { app, env, workers: { processes: 1 } });
  return { stack, runs: () => readFileSync(file, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean) };
}

describe.each(['tally:app', 'tally.js'])('%s', (app) => {
  test('a POST whose process is killed before it accepted is served by another', async () => {
    const { stack, runs } = await startTally(app);
    const [victim] = (await stack.workerStatus()).list;
    if (!victim) throw new Error('no process');
    process.kill(victim.pid, 'SIGSTOP'); // it will be handed the request and cannot accept it
    const answer = fetch(`${stack.url}/count`, { method: 'POST', body: 'order' });
    await until('the request is handed over', async () =>
      (await stack.workerStatus()).slots.busy === 1 ? true : undefined,
    );
    process.kill(victim.pid, 'SIGKILL');
    expect((await answer).status).toBe(200);
    expect(runs()).toHaveLength(1);
    expect(runs()[0]).not.toBe(`POST ${victim.pid}`);
    expect((await stack.workerStatus()).requests.redispatched).toBe(1);
  });

  test('a POST whose process is killed after it accepted is answered 502 and ran once', async () => {
    const { stack, runs } = await startTally(app);
    const answer = await fetch(`${stack.url}/die`, { method: 'POST', body: 'order' });
    expect(answer.status).toBe(502);
    // The lost connection is seen before the death.
    const death = await until('a death that is told', async () => (await stack.workerStatus()).deaths[0]);
    expect(runs()).toHaveLength(1);
    expect(death).toMatchObject({ cause: 'signal', signal: 'SIGKILL' });
    expect(death.message).toContain('/die');
  });
});
