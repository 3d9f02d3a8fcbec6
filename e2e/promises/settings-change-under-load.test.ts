// What an application and its stack are told may change while it serves: by new pods where the application reads it once, in place
// where the worker and the proxy read it.
import { describe, expect, test } from 'vitest';
import { SHOPS, type Shop } from './images.ts';
import { eventually, type Place, secondsOf, uidsOf, useRig } from './rig.ts';

const getRig = useRig();
const MIB = 2 ** 20;

describe.each(SHOPS)('$name', (shop) => {
  test('a ConfigMap and a Secret change: new pods with the new content', async () => {
    const place = await getRig().makePlace();
    const app = shop.name;
    await place.kubectlOk('create', 'configmap', 'greeting', '--from-literal=GREETING=hello');
    await place.kubectlOk('create', 'secret', 'generic', 'keys', '--from-literal=token=one');
    const envFrom = [{ configMapRef: { name: 'greeting' } }];
    const files = [{ path: '/etc/shop', secretName: 'keys' }];
    await place.open(shop, { envFrom, files });
    expect(await seenBy(place, shop)).toEqual(['hello one', 'hello one']);

    const changes: readonly (readonly [string, string[], string])[] = [
      ['a ConfigMap changes', ['configmap', 'greeting', '-p', '{"data":{"GREETING":"welcome"}}'], 'welcome one'],
      ['a Secret changes', ['secret', 'keys', '-p', '{"stringData":{"token":"two"}}'], 'welcome two'],
    ];
    for (const [promise, patch, seen] of changes) {
      const report = await place.loadedWhile({ promise, app }, async () => {
        const seconds = await secondsOf(() => replaced(place, app, () => place.kubectlOk('patch', ...patch)));
        return `new pods after ${seconds} s`;
      });
      expect(report.failures).toEqual({});
      expect(await seenBy(place, shop)).toEqual([seen, seen]);
    }
  });

  test('a limit of the proxy and a timeout of the workers change in place', async () => {
    const place = await getRig().makePlace();
    const app = shop.name;
    const spec = (body: string, timeout: string): object => ({
      workers: { processes: 3, timeout },
      proxy: { limits: { body } },
    });
    await place.open(shop, { ...spec('1Mi', '30s') });
    const before = uidsOf(await place.pods(app));
    const upload = async (): Promise<number> =>
      (await place.visit(app, '/upload', { method: 'POST', bodyBytes: 2 * MIB })).status;
    expect(await upload()).toBe(413);
    const report = await place.loadedWhile({ promise: 'limits and timeouts change in place', app }, async () => {
      const seconds = await secondsOf(async () => {
        await place.change(shop, { ...spec('4Mi', '40s') });
        await isSteadily(200, upload);
      });
      return `in force after ${seconds} s`;
    });
    expect(report.failures).toEqual({});
    expect(uidsOf(await place.pods(app))).toEqual(before);
  });
});

test('WebSockets live on while the configuration changes', async () => {
  const place = await getRig().makePlace();
  const shop = SHOPS.find(({ name }) => name === 'express-shop') as Shop;
  const app = shop.name;
  await place.open(shop, { proxy: { limits: { body: '1Mi' } } });
  const url = place.url(app, '/echo').replace('http:', 'ws:');
  const load = { kind: 'websocket', url, sockets: 8, everyMs: 100 } as const;
  const upload = async (): Promise<number> =>
    (await place.visit(app, '/upload', { method: 'POST', bodyBytes: 2 * MIB })).status;
  expect(await upload()).toBe(413);
  const report = await place.loadedWhile({ promise: 'WebSockets live on through a change', app, load }, async () => {
    const changed = { workers: { processes: 5, timeout: '40s' }, proxy: { limits: { body: '4Mi' } } };
    await place.change(shop, changed);
    await isSteadily(200, upload);
    await place.settled(app, 'at 10 processes', ({ status }) => status?.workers?.summary === '10/10');
    return '8 connections';
  });
  expect(report.failures).toEqual({});
  expect(report.ok).toBe(report.sent);
});

/** What the application's container has in its environment and its file, in each pod. */
async function seenBy(place: Place, { name, script }: Shop): Promise<string[]> {
  const command = script({
    python: 'import os; print(os.environ["GREETING"], open("/etc/shop/token").read())',
    node: 'console.log(process.env.GREETING, require("node:fs").readFileSync("/etc/shop/token", "utf8"))',
  });
  const seen: string[] = [];
  for (const pod of await place.pods(name, 'worker'))
    seen.push((await place.kubectlOk('exec', pod.name, '-c', 'app', '--', ...command)).trim());
  return seen;
}

async function replaced(place: Place, app: string, change: () => Promise<unknown>): Promise<void> {
  const before = uidsOf(await place.pods(app, 'worker'));
  await change();
  await eventually(
    async () => {
      const now = await place.pods(app, 'worker');
      return now.length === 2 && now.every(({ ready, uid }) => ready && !before.includes(uid));
    },
    () => `the worker pods of ${app} are not replaced`,
    180_000,
  );
}

/** Both proxies take a change, each when its kubelet brings it: a run of answers is alike when both have. */
async function isSteadily(wanted: number, ask: () => Promise<number>): Promise<void> {
  let alike = 0;
  await eventually(
    async () => {
      alike = (await ask()) === wanted ? alike + 1 : 0;
      return alike >= 12;
    },
    () => `the answer is not ${wanted} throughout`,
  );
}
