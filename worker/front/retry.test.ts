import { describe, expect, test } from 'vitest';
import { type DeathFacts, isIdempotent, MAX_HANDOVERS, mayHandAgain } from './retry.ts';

const post: DeathFacts = {
  wantAccept: true,
  accepted: false,
  idempotent: false,
  answered: false,
  handovers: 1,
  lostRuns: 0,
};
const get: DeathFacts = { ...post, wantAccept: false, idempotent: true };

describe('handed to another process', () => {
  test.each([
    ['a POST that had not been accepted', post],
    ['a POST not accepted, once more', { ...post, handovers: MAX_HANDOVERS - 1 }],
    ['a GET', get],
    ['a PUT that was accepted', { ...post, idempotent: true, accepted: true }],
  ])('%s', (_name, facts) => expect(mayHandAgain(facts)).toBe(true));
});

describe('not handed to another process', () => {
  test.each([
    ['a POST that had been accepted', { ...post, accepted: true }],
    ['a POST without a handshake', { ...post, wantAccept: false }],
    ['a GET whose second process died too', { ...get, handovers: 2, lostRuns: 1 }],
    ['a GET of which something has been answered', { ...get, answered: true }],
    ['a POST of which something has been answered', { ...post, answered: true }],
    ['a request that no process lives to accept', { ...post, handovers: MAX_HANDOVERS }],
  ])('%s', (_name, facts) => expect(mayHandAgain(facts)).toBe(false));
});

test('idempotent methods are those of RFC 9110 §9.2.2', () => {
  const methods = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST', 'PATCH', 'CONNECT', 'PROPFIND', 'get'];
  expect(methods.filter(isIdempotent)).toEqual(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
});
