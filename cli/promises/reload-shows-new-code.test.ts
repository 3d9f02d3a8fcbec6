import { expect, test, vi } from 'vitest';
import { eventually, FLASK, folderOf, text, up } from './webapp-up.ts';

vi.setConfig({ testTimeout: 120_000 });

test('saved code is served; a syntax error is shown in terminal and browser, and the next save mends it', async () => {
  const running = up(folderOf({ 'app.py': FLASK }), '--port 0 --reload');
  const url = await running.url('shop');
  expect(await text(url)).toBe('version one');
  expect(running.output()).toContain('Development: one process with 8 threads');
  const worker = running.program('worker');

  running.write('app.py', FLASK.replace('one', 'two'));
  await running.says(/^shop │ ↻ app\.py changed: reloading$/m);
  await eventually(async () => expect(await text(url)).toBe('version two'));

  running.write('app.py', `${FLASK}\ndef x(:\n`);
  await running.says(/✗ the application does not start: SyntaxError in app\.py/);
  await eventually(async () => expect(await text(url)).toMatch(/<pre>[\s\S]*SyntaxError: invalid syntax/));

  running.write('app.py', FLASK.replace('one', 'three'));
  await eventually(async () => expect(await text(url)).toBe('version three'));
  expect(running.program('worker')).toBe(worker);
});

test('an application that does not start at first is shown in the browser, and served once it is mended', async () => {
  const running = up(folderOf({ 'app.py': `${FLASK}\n1 / 0\n` }), '--port 0 --reload');
  const url = await running.url('shop');
  await eventually(async () => expect(await text(url)).toContain('ZeroDivisionError'));
  running.write('app.py', FLASK);
  await eventually(async () => expect(await text(url)).toBe('version one'));
});

test('an error shows the debugger’s page when the application’s debug mode is on, and only then', async () => {
  const debug = up(folderOf({ 'app.py': FLASK }), '--port 0 --reload', { FLASK_DEBUG: '1' });
  expect(await text(`${await debug.url('shop')}/boom`)).toMatch(/Werkzeug Debugger[\s\S]*ZeroDivisionError/);
  const plain = up(folderOf({ 'app.py': FLASK }), '--port 0 --reload');
  expect(await text(`${await plain.url('shop')}/boom`)).toMatch(/Internal Server Error/);
});

test('Node’s code is reloaded too', async () => {
  const source = (word: string): string => `export default (req, res) => res.end('${word}');\n`;
  const files = {
    'package.json': '{"type": "module", "scripts": {"start": "node server.js"}}',
    'server.js': source('one'),
  };
  const running = up(folderOf(files), '--port 0 --reload');
  const url = await running.url('shop');
  expect(await text(url)).toBe('one');
  running.write('server.js', source('two'));
  await eventually(async () => expect(await text(url)).toBe('two'));
});
