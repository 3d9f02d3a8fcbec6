import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEBIAN_MIRROR } from './debian.ts';
import { mountsFor, type Registries } from './registries.ts';

const USUAL: Registries = {
  npmRegistry: 'https://registry.npmjs.org/',
  pipIndex: undefined,
  debianMirror: DEBIAN_MIRROR,
  certificates: [],
};
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registries-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const read = (path: string): string => readFileSync(join(folder, path), 'utf8');

test('a machine like all others mounts nothing', () => {
  expect(mountsFor(USUAL, folder)).toEqual([]);
});

test('certificates and mirrors are told to npm and pip of both users', () => {
  const authority = join(folder, 'authority.pem');
  writeFileSync(authority, 'PEM\n');
  const registries = {
    ...USUAL,
    npmRegistry: 'https://npm.example.com/',
    pipIndex: 'https://pip.example.com/simple',
    certificates: [authority],
  };
  expect(mountsFor(registries, folder)).toEqual([`${folder}/root:/root`, `${folder}/tmp:/tmp`]);
  expect(read('tmp/.npmrc')).toBe('registry=https://npm.example.com/\ncafile=/tmp/ca.crt\n');
  expect(read('root/.config/pip/pip.conf')).toBe(
    '[global]\nindex-url = https://pip.example.com/simple\ncert = /root/ca.crt\n',
  );
  expect(read('root/ca.crt')).toContain('PEM');
  // Any user of a step writes to its /tmp.
  expect(statSync(join(folder, 'tmp')).mode & 0o7777).toBe(0o1777);
});

test('a mirror of Debian takes the place of the image’s', () => {
  const [mount] = mountsFor({ ...USUAL, debianMirror: 'http://debian.example.com/debian' }, folder);
  expect(mount).toBe(`${folder}/debian.sources:/etc/apt/sources.list.d/debian.sources:ro`);
  expect(read('debian.sources')).toContain('URIs: http://debian.example.com/debian\n');
});
