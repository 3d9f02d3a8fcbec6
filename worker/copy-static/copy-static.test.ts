// `webapp-worker copy-static`, as an init container runs it.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { parseCopyStatic } from './command-line.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'copy-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (path: string) => join(root, path);
function file(path: string, content: string | Buffer = path, secondsAgo = 1000): void {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), content);
  const time = Math.floor(Date.now() / 1000) - secondsAgo + 0.123456;
  utimesSync(at(path), time, time);
}
/** Paths of all files below a folder. */
const filesOf = (path: string): string[] =>
  readdirSync(at(path), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(at(path).length + 1))
    .toSorted();

/** In the folder `root`, which is the image's working directory. */
function copy(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'copy-static', ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: 20_000,
  });
  const lines: Record<string, unknown>[] =
    stderr.trim() === ''
      ? []
      : stderr
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
  return { code: status, stdout, lines, last: lines.at(-1) ?? {} };
}

test('a folder with its subfolders, contents and times', () => {
  file('static/app.css');
  file('static/img/deep/logo.svg');
  file('static/empty', '');
  file('static/large.bin', Buffer.alloc(3_000_000, 'x'));
  const { code, last } = copy('--from', 'static', '--to', at('shared/v1'));
  expect(code).toBe(0);
  expect(last).toMatchObject({ level: 'info', files: 4, unchanged: 0, skipped: 0 });
  expect(filesOf('shared/v1')).toEqual(filesOf('static'));
  for (const name of filesOf('static')) {
    const [from, to] = [at(`static/${name}`), at(`shared/v1/${name}`)];
    expect(readFileSync(to).equals(readFileSync(from)), name).toBe(true);
    expect(Math.abs(statSync(to).mtimeMs - statSync(from).mtimeMs), name).toBeLessThan(0.01);
  }
});

test('several folders, each to its own place', () => {
  file('static/a.css');
  file('media/b.png');
  expect(copy('--from', 'static', '--to', 'out/static', '--from', 'media', '--to', 'out/media').code).toBe(0);
  expect(filesOf('out')).toEqual(['media/b.png', 'static/a.css']);
});

test('again: what is there is left, what has changed is replaced, what was half written is gone', () => {
  file('static/same.css');
  file('static/new.css', 'old');
  copy('--from', 'static', '--to', 'out');
  const before = statSync(at('out/same.css')).ino;
  file('static/new.css', 'new!');
  file('out/.webapp-copy', 'half of a fi');
  file('out/earlier.css');
  const { last } = copy('--from', 'static', '--to', 'out');
  expect(last).toMatchObject({ files: 1, unchanged: 1 });
  expect(statSync(at('out/same.css')).ino).toBe(before);
  expect(readFileSync(at('out/new.css'), 'utf8')).toBe('new!');
  expect(filesOf('out')).toEqual(['earlier.css', 'new.css', 'same.css']);
});

test('again, from a reproducible image, whose files all have the time of 1980: replaced', () => {
  const since1980 = (Date.now() - Date.UTC(1980, 0)) / 1000;
  file('static/app.js', 'one', since1980);
  copy('--from', 'static', '--to', 'out');
  file('static/app.js', 'two', since1980);
  copy('--from', 'static', '--to', 'out');
  expect(readFileSync(at('out/app.js'), 'utf8')).toBe('two');
});

test('whoever serves the files may read them, whatever their modes were', () => {
  file('static/sub/private.css');
  chmodSync(at('static/sub/private.css'), 0o600);
  chmodSync(at('static/sub'), 0o700);
  copy('--from', 'static', '--to', 'out');
  expect(statSync(at('out/sub/private.css')).mode & 0o777).toBe(0o644);
  expect(statSync(at('out/sub')).mode & 0o777).toBe(0o755);
});

test('links that stay inside become files and folders; others, and what is no file, are left out and told', () => {
  file('secret/key.pem');
  file('static/real.css');
  file('static/sub/b.css');
  symlinkSync('real.css', at('static/link.css'));
  symlinkSync('sub', at('static/linked'));
  symlinkSync(at('secret/key.pem'), at('static/outward.pem'));
  symlinkSync('../secret', at('static/outward'));
  symlinkSync('nowhere', at('static/dangling'));
  symlinkSync('.', at('static/round'));
  symlinkSync('..', at('static/sub/up'));
  spawnSync('mkfifo', [at('static/pipe')]);
  const { code, lines, last } = copy('--from', 'static', '--to', 'out');
  expect(code).toBe(0);
  expect(filesOf('out')).toEqual(['link.css', 'linked/b.css', 'real.css', 'sub/b.css']);
  expect(statSync(at('out/link.css')).isFile()).toBe(true);
  const told = lines
    .filter(({ level }) => level === 'warn')
    .map(({ path }) => String(path).slice(at('static/').length));
  // `sub` is copied twice, by its own name and by the link's.
  expect(told.toSorted()).toEqual(['dangling', 'outward', 'outward.pem', 'pipe', 'round', 'sub/up', 'sub/up']);
  expect(last).toMatchObject({ files: 4, skipped: 7 });
});

test('what the proxy would not serve is not copied', () => {
  file('static/.env');
  file('static/.git/config');
  file('static/a.css');
  copy('--from', 'static', '--to', 'out');
  expect(filesOf('out')).toEqual(['a.css']);
});

test('names that are not UTF-8', () => {
  mkdirSync(at('static'));
  writeFileSync(Buffer.concat([Buffer.from(`${at('static')}/`), Buffer.from([0x66, 0xff, 0x2e, 0x63])]), 'x');
  expect(copy('--from', 'static', '--to', 'out')).toMatchObject({ code: 0, last: { files: 1 } });
  expect(readdirSync(at('out'), { encoding: 'buffer' })).toEqual([Buffer.from([0x66, 0xff, 0x2e, 0x63])]);
});

test('what is left out is told in number when it is much', () => {
  mkdirSync(at('static'));
  for (let i = 0; i < 50; i++) symlinkSync('nowhere', at(`static/link-${i}`));
  const { lines, last } = copy('--from', 'static', '--to', 'out');
  expect(lines).toHaveLength(21);
  expect(last).toMatchObject({ skipped: 50 });
});

describe('what cannot be', () => {
  test('a folder that is not there: 3, told with the mend, and nothing is copied of the others', () => {
    file('static/a.css');
    const { code, lines } = copy('--from', 'static', '--to', 'out', '--from', 'assets', '--to', 'out2');
    expect([code, lines.length]).toEqual([3, 1]);
    expect(lines[0]).toMatchObject({
      level: 'error',
      code: 'STATIC_MISSING',
      reason: expect.stringContaining(at('assets')),
    });
    expect(lines[0]?.['mend']).toContain('proxy.static[].from');
    expect(existsSync(at('out'))).toBe(false);
  });

  test('with --skip-missing, as for an earlier version: the others are copied', () => {
    file('static/a.css');
    const { code, lines } = copy(
      '--skip-missing',
      '--from',
      'assets',
      '--to',
      'out2',
      '--from',
      'static',
      '--to',
      'out',
    );
    expect([code, lines[0]]).toMatchObject([0, { level: 'warn', reason: expect.stringContaining(at('assets')) }]);
    expect(filesOf('out')).toEqual(['a.css']);
    expect(existsSync(at('out2'))).toBe(false);
  });

  test('a file in the place of a folder: 3', () => {
    file('static');
    expect(copy('--from', 'static', '--to', 'out')).toMatchObject({ code: 3, last: { code: 'STATIC_MISSING' } });
  });

  test('a place that does not take it: 4', () => {
    file('static/a.css');
    file('out');
    expect(copy('--from', 'static', '--to', 'out')).toMatchObject({ code: 4, last: { code: 'COPY_FAILED' } });
  });

  test('a place inside the folder itself: 4, and no copy of a copy', () => {
    file('static/a.css');
    expect(copy('--from', '.', '--to', 'static/out')).toMatchObject({ code: 4, last: { code: 'COPY_FAILED' } });
    expect(filesOf('static')).toEqual(['a.css']);
  });

  test('the command line: 2', () => {
    expect(copy('--from', 'static')).toMatchObject({ code: 2, last: { code: 'USAGE' } });
  });
});

test('--help says what there is', () => {
  expect(copy('--help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/--from FOLDER[\s\S]*--to FOLDER/) });
});

describe('the command line', () => {
  test('pairs in their order, relative to the working directory', () => {
    const args = ['--from', 'a', '--to', 'x', '--to', '/y', '--from', '/b'];
    expect(parseCopyStatic(args, '/app')).toEqual({
      pairs: [
        { from: '/app/a', to: '/app/x' },
        { from: '/b', to: '/y' },
      ],
      skipMissing: false,
    });
  });

  test.each([[[]], [['--from', 'a']], [['--to', 'b']], [['--from', '', '--to', 'b']], [['a', 'b']], [['--form', 'a']]])(
    '%j is refused',
    (args) => expect(() => parseCopyStatic(args, '/')).toThrow(UsageError),
  );
});
