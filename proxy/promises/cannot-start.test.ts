// A proxy that cannot start says why and how to mend it, in one line, and exits with the code that tells the kind.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeConfig } from './rig.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-'));
  writeFileSync(join(folder, 'good.json'), JSON.stringify(makeConfig([])));
  writeFileSync(join(folder, 'bad.json'), JSON.stringify({ ...makeConfig([]), groups: [], limits: {} }));
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(...args: string[]): { code: number | null; stdout: string; lines: Record<string, unknown>[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    env: { ...process.env, KUBERNETES_SERVICE_HOST: '' },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return {
    code: status,
    stdout,
    lines: stderr
      .trim()
      .split('\n')
      .map((line) => (line === '' ? {} : JSON.parse(line))),
  };
}

const config = (name: string) => ['--config', join(folder, name)];
const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];

test('flags: 2', () => {
  const { code, lines } = start('--listen', 'nowhere', '--access-log', 'off');
  expect([code, lines.length]).toEqual([2, 1]);
  expect(lines[0]).toMatchObject({ level: 'error', code: 'USAGE' });
  for (const flag of ['--config', '--listen', '--admin']) expect(lines[0]?.['reason']).toContain(flag);
  expect(lines[0]?.['mend']).not.toBe('');
});

test('configuration: 2, with every problem', () => {
  const { code, lines } = start(...config('bad.json'), ...ports);
  expect([code, lines.length]).toEqual([2, 1]);
  expect(lines[0]).toMatchObject({ level: 'error', code: 'CONFIG_INVALID' });
  expect(lines[0]?.['reason']).toMatch(/groups[\s\S]*limits\.bodyBytes/);
});

test('a configuration that needs an API server, where none is known: 2, with the mend', () => {
  const discover = { namespace: 'shop', service: 'web', port: 'http' };
  const found = makeConfig([], { groups: [{ name: 'current', weight: 1, endpoints: [], discover }] });
  writeFileSync(join(folder, 'found.json'), JSON.stringify(found));
  const { code, lines } = start(...config('found.json'), ...ports);
  expect([code, lines.length]).toEqual([2, 1]);
  expect(lines[0]).toMatchObject({ code: 'CONFIG_INVALID', mend: expect.stringContaining('--api-server') });
});

test('an address whose port is none: 2', () => {
  writeFileSync(join(folder, 'port.json'), JSON.stringify(makeConfig(['127.0.0.1:70000'])));
  const { code, lines } = start(...config('port.json'), ...ports);
  expect(code).toBe(2);
  expect(lines[0]?.['reason']).toContain('groups[0].endpoints[0].address');
});

test('no configuration there: 2', () => {
  const { code, lines } = start(...config('none.json'), ...ports);
  expect(code).toBe(2);
  expect(lines[0]).toMatchObject({ code: 'CONFIG_INVALID' });
});

test.each(['listen', 'admin'])('the address of --%s is taken: 1', async (which) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const taken = `127.0.0.1:${(holder.address() as AddressInfo).port}`;
  const other = which === 'listen' ? 'admin' : 'listen';
  const { code, lines } = start(...config('good.json'), `--${which}`, taken, `--${other}`, '127.0.0.1:0');
  holder.close();
  expect([code, lines.length]).toEqual([1, 1]);
  expect(lines[0]).toMatchObject({ level: 'error', code: 'ADDRESS_IN_USE' });
  expect(lines[0]?.['reason']).toContain(taken);
  expect(lines[0]?.['mend']).not.toBe('');
});

test('an access log that cannot be opened: said, and no start', () => {
  const { code, lines } = start(...config('good.json'), ...ports, '--access-log', join(folder, 'none/a.log'));
  expect(code).toBe(2);
  expect(lines[0]).toMatchObject({ level: 'error', code: 'USAGE' });
  expect(lines[0]?.['reason']).toContain('none/a.log');
});

test('--version: 0', () => {
  expect(start('--version')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^webapp-proxy \d+\.\d+\.\d+\n$/),
  });
});

test('--help: the usage, and 0', () => {
  const { code, stdout } = start('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('--config FILE');
});
