import { describe, expect, test } from 'vitest';
import { isRepeatable, throttleWaitMs } from './again.ts';

describe('after a dead connection', () => {
  test.each([
    ['GET', undefined, true],
    ['PUT', undefined, true],
    ['DELETE', undefined, true],
    ['PATCH', 'application/apply-patch+yaml', true],
    ['PATCH', 'application/merge-patch+json', true],
    ['PATCH', 'application/json-patch+json', false],
    ['POST', undefined, false],
  ] as const)('%s %s: %s', (method, contentType, wanted) => {
    expect(isRepeatable({ method, ...(contentType === undefined ? {} : { contentType }) })).toBe(wanted);
  });
});

describe('after a refusal', () => {
  test.each([
    ['429 with a time waits at least that', 429, 2_000, 30_000, 0, 2_000],
    ['up to a quarter more', 429, 2_000, 30_000, 0.8, 2_400],
    ['429 without a time: a second', 429, undefined, 30_000, 0, 1_000],
    ['no hot loop on Retry-After: 0', 429, 0, 30_000, 0, 100],
    ['503 with a time', 503, 1_000, 30_000, 0, 1_000],
    ['503 without one', 503, undefined, 30_000, 0, undefined],
    ['500 with a time', 500, 1_000, 30_000, 0, undefined],
    ['409', 409, undefined, 30_000, 0, undefined],
    ['no time left', 429, 2_000, 2_000, 0, undefined],
  ] as const)('%s', (_, status, retryAfterMs, leftMs, random, wanted) => {
    expect(throttleWaitMs({ status, retryAfterMs }, leftMs, random)).toBe(wanted);
  });
});
