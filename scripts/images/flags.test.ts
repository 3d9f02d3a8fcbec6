import { expect, test } from 'vitest';
import { parseFlags, pickRecipes } from './flags.ts';
import { EXAMPLES, IMAGES } from './images.ts';

const ALL = [...Object.values(IMAGES), ...Object.values(EXAMPLES)];
const names = (...only: string[]): string[] => pickRecipes(ALL, only).map(({ name }) => name);

test('nothing said: everything, by whatever is here', () => {
  expect(parseFlags([])).toEqual({ only: [], isLocal: false, isLoud: false });
  expect(names()).toHaveLength(ALL.length);
});

test('every flag', () => {
  const line =
    '--builder podman --only webapp-proxy --only flask-shop --archive a.tar --push ghcr.io/me/ --local-base --verbose';
  expect(parseFlags(line.split(' '))).toEqual({
    builder: 'podman',
    only: ['webapp-proxy', 'flask-shop'],
    archive: 'a.tar',
    push: 'ghcr.io/me',
    isLocal: true,
    isLoud: true,
  });
});

test.each([
  [['--builder', 'kaniko'], '--builder kaniko: must be one of docker, podman, buildah'],
  [['--nope'], '--nope'],
])('%j is refused by name', (args, message) => {
  expect(() => parseFlags(args)).toThrow(message);
});

test('help is no build', () => {
  expect(parseFlags(['--help'])).toBeUndefined();
});

test('--only by name, by the part before the tag, by alias; with what it builds on', () => {
  const { expressShop, flaskShop } = EXAMPLES;
  const { proxy, workerNode, workerPython } = IMAGES;
  expect(names('webapp-proxy')).toEqual([proxy.name]);
  expect(names('flask-shop')).toEqual([workerPython.name, flaskShop.name]);
  expect(names('webapp-worker')).toEqual([workerNode.name, workerPython.name]);
  expect(names('webapp-worker:python')).toEqual([workerPython.name]);
  expect(names(expressShop.name, 'webapp-proxy')).toEqual([workerNode.name, expressShop.name, proxy.name]);
  expect(() => names('nginx')).toThrow('--only nginx: there is no such image');
});
