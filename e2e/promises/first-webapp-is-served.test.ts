// The beginning of everything: an installed operator, one `kubectl apply`, two applications that answer.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SHOPS } from './images.ts';
import { isComplete, secondsOf, useRig } from './rig.ts';

const getRig = useRig();
const MANIFEST = fileURLToPath(new URL('../../examples/webapp.yaml', import.meta.url));

test('kubectl apply of examples/webapp.yaml, and both shops are served through their Services', async () => {
  const place = await getRig().makePlace();
  const seconds = await secondsOf(async () => {
    await place.kubectlOk('apply', '-f', MANIFEST);
    for (const { name } of SHOPS) await place.settled(name, 'serving', isComplete);
    for (const { name } of SHOPS) await place.answers(name);
  });
  for (const shop of SHOPS) {
    const promise = { promise: 'the first WebApp is served', app: shop.name };
    const report = await place.loadedWhile(promise, async () => {
      const page = await place.visit(shop.name, '/');
      expect(page).toMatchObject({ status: 200, text: expect.stringContaining('/static/shop.css') });
      const style = await place.visit(shop.name, '/static/shop.css');
      expect(style).toMatchObject({ status: 200, headers: { 'content-type': expect.stringContaining('text/css') } });
      return `both shops answer ${seconds} s after kubectl apply`;
    });
    expect(report.failures).toEqual({});
    const { status } = await place.webApp(shop.name);
    expect(status).toMatchObject({ pods: { ready: 2 }, proxies: { ready: 2 }, state: 'Serving' });
    expect(status?.problems).toBeUndefined();
  }
  expect(await place.kubectlOk('get', 'webapps')).toContain('flask-shop');
});
