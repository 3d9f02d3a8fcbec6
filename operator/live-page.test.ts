// The operator's live page over its admin port: what the cluster has is listed, and one WebApp is told of.
import { afterEach, expect, test } from 'vitest';
import { API_VERSION, KIND } from '../core/app/schema.ts';
import { systemClock } from '../core/clock.ts';
import { makeLog } from '../core/log.ts';
import { startFakeApiServer } from '../kube/testing/fake-api-server.ts';
import type { Picture } from '../live/picture.ts';
import { parseFlags } from './flags.ts';
import { Program } from './program.ts';
import { CHILD_KINDS, POD, SECRET, WEBAPP } from './webapp/kinds.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** @returns `http://…` of the admin port of an operator that knows one WebApp, web/shop */
async function start(...args: string[]): Promise<string> {
  const fake = await startFakeApiServer({ resources: [WEBAPP, POD, SECRET, ...Object.values(CHILD_KINDS)] });
  closing.push(() => fake.close());
  fake.put(WEBAPP, {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'shop', namespace: 'web', uid: 'uid-shop' },
    spec: { image: 'shop:1', app: 'shop:app', env: [{ name: 'KEY', value: 'not-for-all' }] },
  });
  const command = parseFlags(['--admin', '127.0.0.1:0', '--status-interval', '0s', ...args], 'test');
  if (typeof command === 'string' || !('run' in command)) throw new Error('not a run');
  const program = new Program({
    flags: command.run,
    access: fake.access(),
    identity: 'test',
    version: 'test',
    log: makeLog(() => {}, systemClock.wall),
    clock: systemClock,
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  closing.push(() => program.stop());
  await program.start();
  return `http://${program.adminAddress}`;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('every WebApp is listed, and one is told of in the words of its status', async () => {
  const url = await start();
  expect(await (await fetch(`${url}/`)).text()).toContain('<h1>WebApps</h1>');
  await until(async () => {
    const { webApps } = (await (await fetch(`${url}/live.json`)).json()) as { webApps: object[] };
    return webApps.length === 1 ? true : undefined;
  });
  const view = await until(async () => {
    const answer = await fetch(`${url}/live.json/web/shop`);
    const told = (await answer.json()) as { picture: Picture; configuration: string };
    return told.picture.conditions.length > 0 ? told : undefined;
  });
  const ready = view.picture.conditions.find(({ type }) => type === 'Ready');
  expect(ready?.status).toBe('False');
  expect(view.picture.verdict).toMatchObject({ tone: 'bad', text: ready?.message });
  expect(view.configuration).toContain('image: shop:1');
  expect(view.configuration).not.toContain('not-for-all');
});

test('--live off: there is no page', async () => {
  const url = await start('--live', 'off');
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});
