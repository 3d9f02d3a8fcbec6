import { describe, expect, test } from 'vitest';
import { parseCommand, type UpOptions } from './command-line.ts';
import { Failure } from './failure.ts';

function up(words: string): UpOptions {
  const command = parseCommand(['up', ...words.split(' ').filter(Boolean)]);
  if (command.kind !== 'up') throw new Error(`not up but ${command.kind}`);
  return command.options;
}

function refused(words: string): Failure {
  try {
    parseCommand(words.split(' '));
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('not refused');
}

test('what is left out', () => {
  expect(up('')).toEqual({
    place: undefined,
    app: undefined,
    host: '127.0.0.1',
    port: 8000,
    processes: undefined,
    reload: false,
    print: undefined,
    live: { host: '127.0.0.1', port: 0 },
    noColor: false,
    accessLog: false,
    verbose: false,
  });
});

test.each<[string, Partial<UpOptions>]>([
  ['examples', { place: 'examples' }],
  ['-p 0 --host 0.0.0.0', { port: 0, host: '0.0.0.0' }],
  ['--port=8080 shop.yaml', { port: 8080, place: 'shop.yaml' }],
  [
    '--reload --processes 3 --verbose --no-color --access-log',
    { reload: true, processes: 3, verbose: true, noColor: true, accessLog: true },
  ],
  ['--app shop:app', { app: 'shop:app' }],
  ['--live [::1]:9000', { live: { host: '::1', port: 9000 } }],
  ['--live off', { live: null }],
  ['--print', { print: 'stdout' }],
  ['--print webapp.yaml', { print: { file: 'webapp.yaml' }, place: undefined }],
  ['--print=x.txt shop', { print: { file: 'x.txt' }, place: 'shop' }],
  ['--print shop', { print: 'stdout', place: 'shop' }],
  ['shop --print webapp.yml --port 1', { print: { file: 'webapp.yml' }, place: 'shop', port: 1 }],
])('up %s', (words, wanted) => {
  expect(up(words)).toMatchObject(wanted);
});

test.each([
  ['upp', 'there is no command upp', 'did you mean up?'],
  ['reder', 'there is no command reder', 'did you mean render?'],
  [
    'frobnicate',
    'there is no command frobnicate',
    'known: up, check, render, status, top, logs, resize, restart, help, version',
  ],
  ['up --prot 80', 'there is no option --prot', 'did you mean --port?'],
  ['up --nocolor', 'there is no option --nocolor', 'did you mean --no-color?'],
  ['up --port 80x', '--port 80x is not a number from 0 to 65535', 'write such as --port 8000'],
  [
    'up --live 9000',
    '--live 9000: The address "9000" is not valid: it has no port',
    'write such as --live 127.0.0.1:9000, or off',
  ],
  ['up --port 70000', '--port 70000 is not a number from 0 to 65535', 'write such as --port 8000'],
  ['up --processes 0', '--processes 0 is not a number from 1 to 256', 'write such as --processes 3'],
  ['up a b', 'b is one place too many', 'give one manifest or one folder'],
  ['check -o yaml', '-o yaml is not known', 'write -o text or -o json'],
  ['up --reload=yes', "option '--reload' does not take an argument", 'see webapp --help'],
])('%s is refused', (words, message, mend) => {
  expect(refused(words)).toMatchObject({ code: 'USAGE', message, mend });
});

describe('the other commands', () => {
  test.each([
    ['check a.yaml b.yaml', { kind: 'check', files: ['a.yaml', 'b.yaml'], output: 'text' }],
    ['check -o json', { kind: 'check', files: [], output: 'json' }],
    ['render a.yaml --output json', { kind: 'render', files: ['a.yaml'], output: 'json' }],
    ['render', { kind: 'render', files: [], output: 'yaml' }],
    ['--version', { kind: 'version' }],
  ])('%s', (words, wanted) => {
    expect(parseCommand(words.split(' '))).toEqual(wanted);
  });

  test('nothing shows the help', () => {
    expect(parseCommand([])).toMatchObject({ kind: 'help' });
  });

  test.each(['up', 'check', 'render'])('%s --help is about itself', (name) => {
    const command = parseCommand([name, '--help']);
    expect(command.kind === 'help' && command.text.startsWith(`webapp ${name}`)).toBe(true);
  });

  test('the help of up names every option', () => {
    const command = parseCommand(['up', '--help']);
    const text = command.kind === 'help' ? command.text : '';
    for (const option of [
      'port',
      'host',
      'processes',
      'reload',
      'app',
      'access-log',
      'verbose',
      'print',
      'no-color',
      'help',
    ]) {
      expect(text).toContain(`--${option}`);
    }
  });
});
