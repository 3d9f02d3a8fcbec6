// What the Dockerfiles have in common, and with the rest of the repository.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { NODE_FLAGS } from '../../cli/run/program-path.ts';
import manifest from '../../package.json' with { type: 'json' };
import { publicImages } from './base.ts';
import { SUITE } from './debian.ts';
import { EXAMPLES, IMAGES, type ImageRecipe } from './images.ts';
import { inOrder } from './order.ts';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const OURS = [...new Set(Object.values(IMAGES).map(({ dockerfile }) => dockerfile))];

describe.each(OURS)('%s', (path) => {
  const text = read(path);

  test('is for the Node that the project is pinned to', () => {
    expect(text).toContain(`\nARG NODE_BASE=node:${manifest.devDependencies.node}-${SUITE}-slim\n`.trimStart());
  });

  test('begins with the build stage of the others, which builders do once', () => {
    expect(buildStage(text)).toBe(buildStage(read('proxy/Dockerfile')));
    expect(buildStage(text)).toMatch(/^FROM \$\{NODE_BASE\} AS build\n/);
  });

  test('runs as a user by number, which is not root’s: a kubelet checks that without asking the image', () => {
    const users = [...text.matchAll(/^USER (.*)$/gm)].map(([, user]) => user);
    expect(users.length).toBeGreaterThan(0);
    for (const user of users) expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('is labelled, and started by its program’s name', () => {
    for (const label of ['title', 'description', 'version', 'revision', 'source', 'licenses'])
      expect(text).toContain(`org.opencontainers.image.${label}=`);
    expect(text).toMatch(/^ENTRYPOINT \["webapp-(?:worker|proxy|operator)"\]$/m);
  });
});

function buildStage(text: string): string {
  return text.slice(text.indexOf('FROM ${NODE_BASE}'), text.indexOf('/out\n') + 5);
}

test('the bases are of one Debian', () => {
  expect(publicImages()).toEqual([
    `docker.io/library/node:${manifest.devDependencies.node}-${SUITE}-slim`,
    `docker.io/library/debian:${SUITE}-slim`,
  ]);
});

test('a program’s first line carries one flag at most, as in an image without env', () => {
  expect(NODE_FLAGS.length).toBeLessThanOrEqual(1);
});

test('every image has its Dockerfile, its target in it, and what it builds on', () => {
  const all: ImageRecipe[] = [...Object.values(IMAGES), ...Object.values(EXAMPLES)];
  for (const { dockerfile, target } of all) {
    expect(existsSync(fileURLToPath(new URL(`../../${dockerfile}`, import.meta.url))), dockerfile).toBe(true);
    if (target !== undefined) expect(read(dockerfile)).toMatch(new RegExp(`^FROM .* AS ${target}$`, 'm'));
  }
  expect(inOrder(all)).toHaveLength(all.length);
});

test.each(Object.values(EXAMPLES))('$dockerfile builds on $from.0', ({ dockerfile, from }) => {
  expect(read(dockerfile)).toContain(`ARG WORKER=${from[0]}\n`);
});
