import { afterEach, describe, expect, inject, test } from 'vitest';
import type { WorkerConfig } from '../core/config/worker.ts';
import { EXPRESS_APP, FLASK_APP, Load, makeDocument, until, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
let load: Load | undefined;
afterEach(async () => {
  await load?.stop();
  await worker?.close();
});

const CLIENTS = 6;

async function start(more: Partial<WorkerConfig>): Promise<{ worker: WorkerUnderTest; load: Load }> {
  const document = makeDocument({ processes: 3, ...more });
  worker = new WorkerUnderTest({
    files: { 'app.py': FLASK_APP, 'app.js': EXPRESS_APP, 'worker.json': JSON.stringify(document) },
    args: ['--config', 'worker.json', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    env: { WEBAPP_PYTHON: inject('python') },
  });
  await worker.ready(3);
  load = new Load(worker, '/', CLIENTS);
  await load.goOn(50);
  return { worker, load };
}

describe.each<{ name: string; config: Partial<WorkerConfig> }>([
  { name: 'Flask', config: { app: 'app:app', runtime: 'wsgi' } },
  { name: 'Flask, preloaded', config: { app: 'app:app', runtime: 'wsgi', preload: true, threads: 2 } },
  { name: 'Express', config: { app: 'app.js', runtime: 'node', threads: 100 } },
])('$name: no request fails', ({ config }) => {
  test('when processes are killed, and each death is stated', async () => {
    const { worker, load } = await start(config);
    for (let kills = 1; kills <= 3; kills++) {
      const victim = (await worker.status()).list.find(({ state }) => state === 'ready');
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await until('its death to be stated', async () => (await worker.status()).deaths.length === kills);
      expect((await worker.status()).deaths[0]).toMatchObject({ id: victim?.id, cause: 'signal', signal: 'SIGKILL' });
      await worker.ready(3);
      await load.goOn(30);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  test('when the process count goes from 3 to 6 to 2 by an edit of the document', async () => {
    const { worker, load } = await start(config);
    for (const processes of [6, 2]) {
      worker.write('worker.json', JSON.stringify(makeDocument({ ...config, processes, hash: `with-${processes}` })));
      await worker.ready(processes);
      expect((await worker.status()).config.hash).toBe(`with-${processes}`);
      await load.goOn(30);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    await until('the four to be gone', async () => (await worker.status()).deaths.length === 4);
    const { deaths, list } = await worker.status();
    expect(new Set(deaths.map(({ cause }) => cause))).toEqual(new Set(['resize']));
    // The three of the beginning were not replaced on the way up.
    expect(list.every(({ id }) => id <= 6)).toBe(true);
  });

  test('when every process is replaced, by SIGHUP and by an edit of the environment', async () => {
    const { worker, load } = await start(config);
    const ids = async () => (await worker.status()).list.map(({ id }) => id).sort((a, b) => a - b);
    worker.kill('SIGHUP');
    await until('three others', async () => `${await ids()}` === '4,5,6');
    await load.goOn(30);
    const env = { COLOUR: 'green' };
    worker.write('worker.json', JSON.stringify(makeDocument({ ...config, processes: 3, hash: 'green', env })));
    await until('three others again', async () => `${await ids()}` === '7,8,9');
    await load.stop();
    expect(load.failures).toEqual([]);
    expect((await worker.ask('/')).text).toMatch(/ green$/);
  });
});

test('a document that is not valid is refused with its problems, the one before stays in force', async () => {
  const { worker, load } = await start({});
  worker.write('worker.json', JSON.stringify({ ...makeDocument({}), processes: -1, colour: 'red' }));
  await until('the refusal', async () => (await worker.status()).config.error !== undefined);
  const { config, processes } = await worker.status();
  expect(config.hash).toBe('first');
  expect(config.error).toMatch(/processes[\s\S]*colour/);
  expect(processes.ready).toBe(3);
  expect(worker.line('code', 'CONFIG_INVALID')).toBeDefined();
  worker.write('worker.json', JSON.stringify(makeDocument({ processes: 1, hash: 'mended' })));
  await worker.ready(1);
  expect((await worker.status()).config).toMatchObject({ hash: 'mended' });
  expect((await worker.status()).config.error).toBeUndefined();
  await load.stop();
  expect(load.failures).toEqual([]);
});
