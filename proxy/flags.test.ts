import { describe, expect, test } from 'vitest';
import { ProblemsError } from '../core/errors.ts';
import { type Flags, parseFlags, USAGE } from './flags.ts';

const least = ['--config', 'proxy.json', '--listen', '127.0.0.1:8000', '--admin', 'unix:/run/admin.sock'];

/** The fields that are wrong. */
function wrong(args: readonly string[]): string[] {
  try {
    parseFlags(args);
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems.map((problem) => problem.field);
    throw error;
  }
  return [];
}

test('the least that is needed, and its defaults', () => {
  expect(parseFlags(least)).toEqual({
    config: 'proxy.json',
    listen: { host: '127.0.0.1', port: 8000 },
    admin: { path: '/run/admin.sock' },
    drainDelayMs: 0,
    accessLog: 'stdout',
    exitWithParent: false,
    master: false,
    apiServer: null,
  } satisfies Flags);
});

test.each([
  [['--access-log', 'off'], { accessLog: 'off' }],
  [['--access-log', '-'], { accessLog: 'stdout' }],
  [['--access-log', '/var/log/a.log'], { accessLog: { file: '/var/log/a.log' } }],
  [['--exit-with-parent'], { exitWithParent: true }],
  [['--drain-delay', '1m30s'], { drainDelayMs: 90_000 }],
  [['--exit-with-parent'], { exitWithParent: true }],
  [['--api-server', 'https://10.0.0.1:6443'], { apiServer: { url: new URL('https://10.0.0.1:6443') } }],
  [
    ['--api-server', 'http://127.0.0.1:1', '--api-token-file', '/t', '--api-ca-file', '/c'],
    { apiServer: { url: new URL('http://127.0.0.1:1'), tokenFile: '/t', caFile: '/c' } },
  ],
  [['--listen', '[::1]:0'], { listen: { host: '::1', port: 0 } }],
])('%j', (more, expected) => expect(parseFlags([...least, ...more])).toMatchObject(expected));

test.each([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['-v', 'version'],
])('%s wins over everything that is missing', (flag, command) => expect(parseFlags([flag])).toBe(command));

describe('all that is wrong is told at once', () => {
  test.each([
    [[], ['--config', '--listen', '--admin']],
    [[...least, '--drain-delay', 'soon'], ['--drain-delay']],
    [[...least, '--drain-delay', '9d'], ['--drain-delay']],
    [[...least, '--access-log', ''], ['--access-log']],
    [
      ['--config', 'a', '--listen', 'nowhere', '--admin', '1.2.3.4:99999'],
      ['--listen', '--admin'],
    ],
    [[...least, '--api-server', 'nowhere'], ['--api-server']],
    [[...least, '--api-server', 'ftp://a'], ['--api-server']],
    [[...least, '--api-server', 'https://a/api'], ['--api-server']],
    [[...least, '--api-server', 'https://me:pw@a'], ['--api-server']],
    [[...least, '--api-server', 'http://10.0.0.1', '--api-token-file', '/t'], ['--api-server']],
    [
      [...least, '--api-token-file', '/t', '--api-ca-file', ''],
      ['--api-token-file', '--api-ca-file'],
    ],
    [[...least, '--nonsense'], ['arguments']],
    [[...least, 'word'], ['arguments']],
    [['--config'], ['arguments']],
  ])('%j', (args, fields) => expect(wrong(args)).toEqual(fields));
});

test('the usage names every flag that is read', () => {
  const names = ['config', 'listen', 'admin', 'drain-delay', 'access-log', 'exit-with-parent', 'help', 'version'];
  for (const name of [...names, 'api-server', 'api-token-file', 'api-ca-file'])
    expect(USAGE).toMatch(new RegExp(`^  (-., )?--${name}\\b`, 'm'));
});
