import { describe, expect, test } from 'vitest';
import { byLength, extensionOf, pathOf, pickFolder, relativePath } from './path.ts';

describe('which folder', () => {
  const folders = byLength([
    { path: '', directories: ['/site'] },
    { path: '/static', directories: ['/s'] },
    { path: '/static/big', directories: ['/b'] },
  ]);
  test.each([
    ['/static/a.css', '/s'],
    ['/static/big/a.bin', '/b'],
    ['/static/bigger', '/s'],
    ['/statics/a', '/site'],
    ['/static', '/site'],
    ['/', '/site'],
    ['*', undefined],
  ])('%s is looked for in %s', (target, directory) => {
    expect(pickFolder(folders, target)?.directories[0]).toBe(directory);
  });
});

test('the query is no part of the path', () => {
  expect(pathOf('/a?b?c')).toBe('/a');
  expect(pathOf('/a')).toBe('/a');
});

describe('which file', () => {
  test.each([
    ['/s/a.css', 'a.css'],
    ['/s/a/b/c.js', 'a/b/c.js'],
    ['/s/a%20b.txt', 'a b.txt'],
    ['/s/%c3%A9.txt', '\xc3\xa9.txt'],
    ['/s/%ff', '\xff'],
    ['/s/a..b', 'a..b'],
    ['/s/a.', 'a.'],
    ['/s/a\\b', 'a\\b'],
    // Decoded once: what comes out is a name, however it reads.
    ['/s/%252e%252e', '%2e%2e'],
  ])('%s is the file %j', (path, file) => expect(relativePath(path, '/s')).toBe(file));

  test.each([
    ['the folder itself', '/s/'],
    ['a folder', '/s/a/'],
    ['a parent', '/s/../etc/passwd'],
    ['a parent at the end', '/s/a/..'],
    ['an encoded parent', '/s/%2e%2e/etc/passwd'],
    ['a half-encoded parent', '/s/.%2E/etc/passwd'],
    ['an encoded slash', '/s/..%2fetc%2fpasswd'],
    ['an encoded slash in a name', '/s/a%2Fb'],
    ['the same folder', '/s/./a'],
    ['a dot file', '/s/.env'],
    ['a dot folder', '/s/.git/config'],
    ['an encoded dot file', '/s/%2eenv'],
    ['an empty segment', '/s//etc/passwd'],
    ['an absolute path', '/s//a'],
    ['NUL', '/s/a%00.css'],
    ['a line break', '/s/a%0d%0ab'],
    ['DEL', '/s/a%7f'],
    ['a cut escape', '/s/a%2'],
    ['a lone %', '/s/a%'],
    ['a malformed escape', '/s/%zz'],
    ['a signed escape', '/s/%-1'],
    ['a spaced escape', '/s/% 1'],
    ['text beyond bytes', '/s/\u{2025}'],
    ['an overlong path', `/s/${'a'.repeat(3000)}`],
  ])('%s is no file: %j', (_what, path) => expect(relativePath(path, '/s')).toBeNull());
});

test.each([
  ['a.css', 'css'],
  ['A.CSS', 'css'],
  ['a.min.js', 'js'],
  ['a.b/c', ''],
  ['README', ''],
])('extension of %s is %j', (path, extension) => expect(extensionOf(path)).toBe(extension));
