import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { assertNode } from './node-version.ts';

test.each(['18.20.8', '20.11.1', '22.23.3', '24.9.9'])('Node %s is too old', (version) => {
  expect(() => assertNode(version, '>=24.10')).toThrow(`webapp needs Node 24.10 or newer, and this is Node ${version}`);
});

test.each(['24.10.0', '24.21.3', '26.0.0', '26.10.0-nightly'])('Node %s will do', (version) => {
  expect(() => assertNode(version, '>=24.10')).not.toThrow();
});

test('package.json has it in the form that is read here', () => {
  expect(manifest.engines.node).toMatch(/^>=\d+\.\d+$/);
  expect(() => assertNode(process.versions.node, manifest.engines.node)).not.toThrow();
});
