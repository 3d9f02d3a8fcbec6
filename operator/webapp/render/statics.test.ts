import { expect, it } from 'vitest';
import { staticVersionOf } from './statics.ts';

it('a key is a folder’s name, by the digest where there is one', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(staticVersionOf('shop:1').key).toMatch(/^[0-9a-f]{10}$/);
  expect(staticVersionOf('shop:1').key).not.toBe(staticVersionOf('shop:2').key);
  expect(staticVersionOf(`shop:1@${digest}`).key).toBe(staticVersionOf(`other/shop@${digest}`).key);
});
