import { describe, expect, test } from 'vitest';
import { type Loss, planRetry, type Retry } from './retry.ts';

/** A GET on a kept connection that was closed before a byte of the answer. */
const LOSS: Loss = {
  error: 'CLOSED',
  began: false,
  method: 'GET',
  bodyHeld: true,
  hasBody: false,
  reused: true,
  seen: true,
  tries: 1,
  timeouts: 0,
  retriedReused: false,
  retriedFresh: false,
};

const CASES: [string, Partial<Loss>, Retry][] = [
  ['a kept connection was dead', {}, 'reused'],
  ['…twice', { retriedReused: true }, 'none'],
  ['…under a HEAD', { method: 'HEAD' }, 'reused'],
  ['…under an OPTIONS', { method: 'OPTIONS' }, 'reused'],
  ['…under a TRACE', { method: 'TRACE' }, 'reused'],
  ['…under a PUT whose body is at hand', { method: 'PUT', hasBody: true }, 'reused'],
  ['…under a DELETE', { method: 'DELETE' }, 'reused'],
  ['…under a PUT whose body is gone', { method: 'PUT', hasBody: true, bodyHeld: false }, 'none'],
  ['…under a POST that may have been seen', { method: 'POST' }, 'none'],
  ['…under a PATCH that may have been seen', { method: 'PATCH' }, 'none'],
  ['…under a method that nobody knows', { method: 'PURGE' }, 'none'],
  ['…under a method in lower case, which is another one', { method: 'get' }, 'none'],
  ['…under a POST that nobody can have seen', { method: 'POST', seen: false }, 'reused'],
  ['…under a POST that nobody can have seen, its body gone', { method: 'POST', seen: false, bodyHeld: false }, 'none'],
  ['…after an answer had begun', { began: true }, 'none'],

  ['a new connection died', { reused: false }, 'fresh'],
  ['…under a HEAD', { reused: false, method: 'HEAD' }, 'fresh'],
  ['…after a kept one', { reused: false, retriedReused: true }, 'fresh'],
  ['…twice', { reused: false, retriedFresh: true }, 'none'],
  ['…under a GET with a body', { reused: false, hasBody: true }, 'none'],
  ['…under a PUT', { reused: false, method: 'PUT' }, 'none'],
  ['…under a DELETE', { reused: false, method: 'DELETE' }, 'none'],
  ['…under a POST', { reused: false, method: 'POST' }, 'none'],
  ['…after an answer had begun', { reused: false, began: true }, 'none'],

  ['refused', { error: 'REFUSED', reused: false, seen: true }, 'elsewhere'],
  ['…under a POST', { error: 'REFUSED', reused: false, method: 'POST' }, 'elsewhere'],
  ['…for the ninth time', { error: 'REFUSED', reused: false, tries: 9 }, 'elsewhere'],
  ['…for the tenth time', { error: 'REFUSED', reused: false, tries: 10 }, 'none'],
  ['…with the body gone', { error: 'REFUSED', reused: false, bodyHeld: false }, 'none'],
  ['not connected in time', { error: 'CONNECT_TIMEOUT', reused: false, timeouts: 1 }, 'elsewhere'],
  ['…for the third time', { error: 'CONNECT_TIMEOUT', reused: false, tries: 3, timeouts: 3 }, 'none'],

  ['no HTTP', { error: 'INVALID' }, 'none'],
  ['no HTTP on a new connection', { error: 'INVALID', reused: false }, 'none'],
];

describe('planRetry', () => {
  test.each(CASES)('%s', (_name, change, wanted) => expect(planRetry({ ...LOSS, ...change })).toBe(wanted));
});

describe('the rule above all others', () => {
  const both = [false, true];
  const losses = both.flatMap((began) =>
    both.flatMap((bodyHeld) =>
      both.flatMap((reused) =>
        both.flatMap((retriedReused) =>
          both.map((retriedFresh) => ({ began, bodyHeld, reused, retriedReused, retriedFresh })),
        ),
      ),
    ),
  );

  test.each(['POST', 'PATCH', 'PURGE'])('%s is never sent again once it may have been seen', (method) => {
    for (const loss of losses) expect(planRetry({ ...LOSS, ...loss, method, seen: true })).toBe('none');
  });

  test.each(['GET', 'PUT', 'POST'])('%s is never sent again once an answer has begun', (method) => {
    for (const loss of losses) expect(planRetry({ ...LOSS, ...loss, method, began: true })).toBe('none');
  });
});
