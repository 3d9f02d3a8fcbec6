// The provider's pure parts.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { programAndTag } from './cluster.ts';
import { makeCommand } from './command.ts';
import { KIND_VERSION, MINORS, makeKindConfig, pickMinor } from './config.ts';
import { isPinned } from './kind-program.ts';
import { isWithinSkew } from './kubectl-program.ts';
import { makeKustomization } from './metrics-server.ts';
import { runtimeId } from './node-commands.ts';

test('the version of kind is the one that is built', () => {
  const pins = readFileSync(new URL('../programs/kind/go.mod', import.meta.url), 'utf8');
  expect(pins).toContain(`sigs.k8s.io/kind ${KIND_VERSION} //`);
});

describe('the minor of Kubernetes', () => {
  test.each([
    ['1.37', '1.37'],
    ['v1.35', '1.35'],
    ['', '1.36'],
    [undefined, '1.36'],
  ])('%s is %s', (wanted, minor) => {
    expect(pickMinor(wanted)).toBe(minor);
  });

  test.each(['1.3', '1.37.0', '1.99', 'latest'])('%s is refused, and those there are are named', (wanted) => {
    expect(() => pickMinor(wanted)).toThrow(`KUBERNETES_MINOR ${wanted}: write one of 1.35, 1.36, 1.37`);
  });

  test.each(MINORS)('%s has a node image of that minor, by digest', (minor) => {
    expect(makeKindConfig({ nodes: 1, minor })).toMatchObject({
      nodes: [{ image: expect.stringMatching(new RegExp(`^kindest/node:v${minor}\\.\\d+@sha256:[0-9a-f]{64}$`)) }],
    });
  });
});

test('the first node has the control plane, the others none', () => {
  const { nodes } = makeKindConfig({ nodes: 3, minor: '1.36' }) as { readonly nodes: readonly { role: string }[] };
  expect(nodes.map(({ role }) => role)).toEqual(['control-plane', 'worker', 'worker']);
});

test.each([
  ['kind v0.33.0 go1.26.8 linux/amd64\n', true],
  ['kind v0.32.0 go1.26.8 linux/amd64\n', false],
  ['kind v0.33.0-alpha go1.26.8 linux/amd64\n', false],
  ['', false],
])('%j as the program on PATH: %s', (said, taken) => {
  expect(isPinned(said)).toBe(taken);
});

test.each([
  ['1.36', '1.37', true],
  ['1.36', '1.36', true],
  ['1.38', '1.37', true],
  ['1.35', '1.37', false],
  ['2.36', '1.36', false],
])('kubectl %s for a cluster of %s: %s', (own, cluster, fits) => {
  expect(isWithinSkew(own, cluster)).toBe(fits);
});

test.each([
  ['registry.k8s.io/coredns/coredns:v1.14.2', ['coredns', 'v1.14.2']],
  ['docker.io/kindest/kindnetd:v20260820@sha256:00ff', ['kindnetd', 'v20260820']],
  ['localhost:5000/etcd', ['etcd', '']],
])('%s', (image, expected) => {
  expect(programAndTag(image)).toEqual(expected);
});

test.each([undefined, '', 'docker://00ff', 'containerd://../x'])('%s is the id of no container', (id) => {
  expect(() => runtimeId(id)).toThrow('is no id of a container of containerd');
});

test('metrics-server is the published image of the pinned version', () => {
  expect(makeKustomization('v0.9.0')).toMatchObject({
    images: [{ newName: 'registry.k8s.io/metrics-server/metrics-server', newTag: 'v0.9.0' }],
  });
});

describe('a command', () => {
  const shell = makeCommand('/bin/sh');

  test('gives what it prints', async () => {
    expect(await shell(['-c', 'echo out; echo err >&2'])).toBe('out\n');
  });

  test('that fails tells its last words', async () => {
    await expect(shell(['-c', 'echo why >&2; exit 3'])).rejects.toThrow(
      '/bin/sh -c echo why >&2; exit 3: ended with 3\nwhy',
    );
  });

  test('that hangs is ended', async () => {
    await expect(shell(['-c', 'exec sleep 600'], { timeoutMs: 50 })).rejects.toThrow('ended by SIGTERM');
  });

  test('that does not exist is named', async () => {
    await expect(makeCommand('no-such-program')([])).rejects.toThrow('no-such-program : spawn no-such-program ENOENT');
  });
});
