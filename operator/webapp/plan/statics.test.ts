import { expect, test } from 'vitest';
import type { Revision } from '../revision.ts';
import { pickStatics } from './statics.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const revisions = (...images: string[]): Revision[] => images.map((image) => ({ image }) as Revision);
const images = (...picked: Parameters<typeof pickStatics>): string[] =>
  pickStatics(...picked).map(({ image }) => image);

test.each([
  ['only its own', 'a', ['b', 'c'], 0, ['a']],
  ['the ones served last', 'a', ['b', 'c', 'd'], 2, ['a', 'b', 'c']],
  ['each image once', 'a', ['a', 'b', 'b', 'a', 'c'], 2, ['a', 'b', 'c']],
  ['as many as there are', 'a', ['b'], 5, ['a', 'b']],
] as const)('%s', (_name, image, earlier, keep, wanted) => {
  expect(images(image, revisions(...earlier), keep)).toEqual(wanted);
});

test('a digest is the same version under any name', () => {
  const keys = [`a@${DIGEST}`, `b:1@${DIGEST}`, 'b:1'].map((image) => pickStatics(image, [], 0)[0]?.key);
  expect(keys[0]).toBe(keys[1]);
  expect(keys[0]).not.toBe(keys[2]);
});
