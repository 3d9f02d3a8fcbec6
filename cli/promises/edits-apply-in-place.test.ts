import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { eventually, FLASK, folderOf, manifest, text, up } from './webapp-up.ts';

vi.setConfig({ testTimeout: 120_000 });

const spec = (processes: number, more = ''): string => `app: app:app, workers: {processes: ${processes}}${more}`;

test('a new process count applies in place, and what was applied is said', async () => {
  const running = up(folderOf({ 'webapp.yaml': manifest('shop', spec(1)), 'app.py': FLASK }));
  const url = await running.url('shop');
  const programs = [running.program('proxy'), running.program('worker')];
  running.write('webapp.yaml', manifest('shop', spec(3, ', proxy: {limits: {body: 1Mi}}')));
  await running.says(/^shop │ ✓ applied: workers\.processes 1 → 3, proxy\.limits\.body 10Mi → 1Mi$/m);
  await running.says(/^shop │ 3\/3 ready$/m);
  expect(await text(url)).toBe('version one');
  expect([running.program('proxy'), running.program('worker')]).toEqual(programs);
});

test('an invalid edit says everything that is wrong, and what runs stays as it is', async () => {
  const running = up(folderOf({ 'webapp.yaml': manifest('shop', spec(1)), 'app.py': FLASK }));
  const url = await running.url('shop');
  running.write('webapp.yaml', manifest('shop', 'app: app:app, workers: {processes: 0, timout: 1s}'));
  await running.says(/webapp\.yaml:4: spec\.workers\.processes is 0: must be at least 1/);
  await running.says(/webapp\.yaml:4: spec\.workers\.timout: there is no such field\n +→ did you mean timeout\?/);
  await running.says(/the manifest is not valid; what runs stays as it is/);
  expect(await text(url)).toBe('version one');
  running.write('webapp.yaml', manifest('shop', spec(2)));
  await running.says(/applied: workers\.processes 1 → 2/);
});

test('a manifest that is removed stops nothing', async () => {
  const folder = folderOf({ 'webapp.yaml': manifest('shop', spec(1)), 'app.py': FLASK });
  const running = up(folder);
  const url = await running.url('shop');
  unlinkSync(join(folder, 'webapp.yaml'));
  await running.says(/there is no WebApp; what runs stays as it is/);
  expect(await text(url)).toBe('version one');
});

test('a WebApp that is added starts, one that is removed stops', async () => {
  const folder = folderOf({ 'webapp.yaml': manifest('one', spec(1)), 'app.py': FLASK });
  const running = up(folder);
  const one = await running.url('one');
  running.write('two.webapp.yaml', manifest('two', spec(1)));
  const two = await running.url('two');
  expect(await text(two)).toBe('version one');
  unlinkSync(join(folder, 'webapp.yaml'));
  await running.says(/^one │ stopped$/m);
  await eventually(() => expect(fetch(one)).rejects.toThrow());
  expect(await text(two)).toBe('version one');
});

test('an application that does not start is said with its traceback, and the one before goes on', async () => {
  const running = up(
    folderOf({ 'webapp.yaml': manifest('shop', spec(1)), 'app.py': FLASK, 'other.py': 'import nowhere_to_be_found' }),
  );
  const url = await running.url('shop');
  running.write('webapp.yaml', manifest('shop', 'app: other:app, workers: {processes: 1}'));
  await running.says(/ModuleNotFoundError: No module named 'nowhere_to_be_found'/);
  await running.says(/✗ the application does not start: No module named 'nowhere_to_be_found'/);
  expect(await text(url)).toBe('version one');
});

test('another source folder is taken by a new worker, which is ready before the old one leaves', async () => {
  const files = {
    'webapp.yaml': manifest('shop', spec(1), 'a'),
    'a/app.py': FLASK,
    'b/app.py': FLASK.replace('one', 'two'),
  };
  const running = up(folderOf(files));
  const url = await running.url('shop');
  const proxy = running.program('proxy');
  const failures: string[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver)
      await fetch(url).then(
        (answer) => answer.ok || failures.push(String(answer.status)),
        (error: Error) => failures.push(error.message),
      );
  })();
  running.write('webapp.yaml', manifest('shop', spec(1), 'b'));
  await running.says(/✓ applied: source .*\/a → .*\/b$/m);
  expect(await text(url)).toBe('version two');
  isOver = true;
  await load;
  expect(failures).toEqual([]);
  expect(running.program('proxy')).toBe(proxy);
});

test('a source folder whose application does not start is said, and the one before goes on', async () => {
  const files = { 'webapp.yaml': manifest('shop', spec(1), 'a'), 'a/app.py': FLASK, 'b/app.py': 'x = 1 / 0' };
  const running = up(folderOf(files));
  const url = await running.url('shop');
  running.write('webapp.yaml', manifest('shop', spec(1), 'b'));
  await running.says(/ZeroDivisionError/);
  await running.says(/✗ shop: /);
  expect(await text(url)).toBe('version one');
  running.write('webapp.yaml', manifest('shop', spec(2), 'a'));
  await running.says(/✓ applied: workers\.processes 1 → 2$/m);
});
