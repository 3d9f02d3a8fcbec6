import { expect, test, vi } from 'vitest';
import { eventually, FLASK, folderOf, manifest, text, up } from './webapp-up.ts';

vi.setConfig({ testTimeout: 120_000 });

const spec = (more = ''): string => `app: app:app, workers: {processes: 1}${more}`;
const CLUSTER = `, replicas: 5, proxy: {hosts: [shop.example.com]}, env: [{name: DB_URL, valueFrom: {secretKeyRef: {name: s, key: k}}}]`;

test('what only a cluster can do is named in one line, and the rest runs', async () => {
  const running = up(folderOf({ 'webapp.yaml': manifest('shop', spec(CLUSTER)), 'app.py': FLASK }));
  const url = await running.url('shop');
  await running.says(
    /^shop: for Kubernetes, not used here: replicas, proxy\.hosts; not set here: DB_URL \(env\[\]\.valueFrom\); set them in this terminal\.$/m,
  );
  expect(await text(url)).toBe('version one');
});

test('a variable of the cluster that the terminal has is the application’s', async () => {
  const app = `import os\ndef app(environ, start_response):\n  start_response('200 OK', [])\n  return [os.environ['DB_URL'].encode()]\n`;
  const running = up(folderOf({ 'webapp.yaml': manifest('shop', spec(CLUSTER)), 'app.py': app }), '--port 0', {
    DB_URL: 'sqlite://',
  });
  expect(await text(await running.url('shop'))).toBe('sqlite://');
  expect(running.output()).not.toContain('not set here');
});

test('suspended: the maintenance page; and back, without a program restarted', async () => {
  const running = up(folderOf({ 'webapp.yaml': manifest('shop', spec(', suspend: true')), 'app.py': FLASK }));
  const url = await running.url('shop');
  await running.says(/^shop: suspended: the proxy answers 503 with a maintenance page, the worker idles\.$/m);
  const suspended = await fetch(url, { headers: { accept: 'text/html' } });
  expect([suspended.status, suspended.headers.get('retry-after')]).toEqual([503, '60']);
  expect(await suspended.text()).toContain('Down for maintenance');
  const programs = [running.program('proxy'), running.program('worker')];
  running.write('webapp.yaml', manifest('shop', spec()));
  await running.says(/^shop │ ✓ applied: suspend true → false$/m);
  await eventually(async () => expect(await text(url)).toBe('version one'));
  expect([running.program('proxy'), running.program('worker')]).toEqual(programs);
});
