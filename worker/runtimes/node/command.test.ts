import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AppSpec } from '../runtime.ts';
import { appProgram, makeCommand } from './command.ts';
import { SETTINGS_VARIABLE } from './settings.ts';

const settings = { app: 'a.js', parent: 1, socket: '/run/a', secret: 's', trustForwarded: true };

function command(spec: Partial<AppSpec> = {}, environment: NodeJS.ProcessEnv = {}) {
  const limits = { bodyBytes: 1, bodyMemoryBytes: 1, headBytes: 65536, responseBufferBytes: 1, connections: 1 };
  const whole = {
    app: 'a.js',
    env: {},
    threads: 1,
    preload: false,
    directory: '/',
    development: false,
    trustForwarded: true,
  };
  return makeCommand({ ...whole, limits, ...spec }, settings, environment);
}

describe('the environment of an application', () => {
  const PRODUCTION = { NODE_ENV: 'production', PORT: '8000' };
  test.each<[string, Partial<AppSpec>, NodeJS.ProcessEnv, Record<string, string>]>([
    ['says production and a port when nobody says otherwise', {}, {}, PRODUCTION],
    ['says nothing of production in development', { development: true }, {}, { PORT: '8000' }],
    [
      'has what the worker’s has',
      {},
      { NODE_ENV: 'test', PORT: '1', A: 'b', NODE_OPTIONS: '-r x' },
      { NODE_ENV: 'test', PORT: '1', A: 'b', NODE_OPTIONS: '-r x' },
    ],
    [
      'has the WebApp’s laid over that',
      { env: { A: 'c', PORT: '2' } },
      { A: 'b', PORT: '1' },
      { ...PRODUCTION, A: 'c', PORT: '2' },
    ],
    ['leaves out what is not set', {}, { A: undefined }, PRODUCTION],
  ])('%s', (_name, spec, environment, expected) => {
    const { [SETTINGS_VARIABLE]: told, ...env } = command(spec, environment).env;
    expect(env).toEqual(expected);
    expect(JSON.parse(told ?? '')).toEqual(settings);
  });

  test('cannot change what the supervisor says', () => {
    const { env } = command({ env: { [SETTINGS_VARIABLE]: '{}' } });
    expect(JSON.parse(env[SETTINGS_VARIABLE] ?? '')).toEqual(settings);
  });
});

test('a head that the front lets through is not too large for the application', () => {
  const [flag = ''] = command().args;
  expect(Number(flag.replace('--max-http-header-size=', ''))).toBeGreaterThan(65536 + 1024);
});

test('the program is there', () => {
  expect(existsSync(appProgram())).toBe(true);
});
