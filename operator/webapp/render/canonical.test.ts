import { expect, it } from 'vitest';
import { canonical, digest } from './canonical.ts';

it('one form for one meaning', () => {
  expect(
    JSON.stringify(canonical({ b: { d: 1, c: [] }, a: [null, { f: undefined, e: '' }], g: {}, h: null, i: false })),
  ).toBe('{"a":[{"e":""}],"b":{"d":1},"g":{},"i":false}');
  expect(digest({ a: 1, b: [2, 3] })).toBe(digest({ b: [2, 3], a: 1, c: undefined }));
  expect(digest([1, 2])).not.toBe(digest([2, 1]));
  expect(digest('x', 10)).toHaveLength(10);
  expect(digest(undefined)).toMatch(/^[0-9a-f]{16}$/);
});

it('a field named __proto__ is a field, and depth does not end the stack', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}');
  expect(JSON.stringify(canonical(hostile))).toBe('{"__proto__":{"polluted":true},"a":1}');
  expect(canonical(hostile).polluted).toBeUndefined();
  const deep = JSON.parse(`${'['.repeat(9000)}${']'.repeat(9000)}`);
  expect(digest({ deep })).toBe(digest({}));
});
