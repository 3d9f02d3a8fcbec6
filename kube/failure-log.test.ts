import { describe, expect, test } from 'vitest';
import type { Log } from '../core/log.ts';
import { KubeError } from './errors.ts';
import { failureFields, makeFailureLog } from './failure-log.ts';

function aLog(): { log: Log; lines: [string, string, unknown][] } {
  const lines: [string, string, unknown][] = [];
  const at =
    (level: string) =>
    (message: string, fields?: unknown): void =>
      void lines.push([level, message, fields]);
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), with: () => log };
  return { log, lines };
}

test('a burst, then one line in a time; the next says how many were left out', () => {
  let now = 0;
  const { log, lines } = aLog();
  const failures = makeFailureLog({ log, clock: { now: () => now, wall: () => 0 }, burst: 2, everyMs: 1_000 });
  for (let i = 0; i < 10; i++) failures.say('failed', new KubeError('NETWORK', 'away'), { key: `key-${i}` });
  now = 1_000;
  failures.warn('dropped', { dropped: 3 });
  failures.warn('dropped', { dropped: 4 });
  now = 60_000;
  failures.say('failed', new TypeError('no'));
  expect(lines).toEqual([
    ['warn', 'failed', { key: 'key-0', code: 'NETWORK', error: 'away' }],
    ['warn', 'failed', { key: 'key-1', code: 'NETWORK', error: 'away' }],
    ['warn', 'dropped', { dropped: 3, leftOut: 8 }],
    ['error', 'failed', { error: expect.any(TypeError), leftOut: 1 }],
  ]);
});

describe('what a log says of', () => {
  const told = { status: 429, reason: 'TooManyRequests', retryAfterMs: 1_000 };
  test.each<[string, unknown, unknown]>([
    ['an answer', new KubeError('API', 'slower', told), { code: 'API', ...told, error: 'slower' }],
    ['no answer', new KubeError('TIMEOUT', 'none in time'), { code: 'TIMEOUT', error: 'none in time' }],
    ['a text', 'no', { error: "'no'" }],
    ['nothing', undefined, { error: 'undefined' }],
    ['what cannot be a text', Object.create(null), { error: '[Object: null prototype] {}' }],
  ])('%s', (_name, error, fields) => expect(failureFields(error)).toEqual(fields));
});
