import { expect, test } from 'vitest';
import { type NodeFacts, planNode } from './node.ts';

const facts = (changes: Partial<NodeFacts>): NodeFacts => ({
  dependencies: ['express'],
  locks: ['package-lock.json'],
  installed: true,
  missing: [],
  complete: true,
  hash: 'h',
  ...changes,
});

test.each<[string, Partial<NodeFacts>, string | undefined]>([
  ['all there', {}, undefined],
  ['no dependencies', { dependencies: [], installed: false }, undefined],
  ['nothing installed', { installed: false, missing: ['express'] }, 'npm ci'],
  ['nothing installed, no lock', { installed: false, missing: ['express'], locks: [] }, 'npm install'],
  ['one is missing', { missing: ['express'] }, 'npm ci'],
  ['interrupted', { complete: false }, 'npm ci'],
  ['put there by other means, without a lock', { complete: false, locks: [] }, undefined],
  ['found in a folder above', { installed: false }, undefined],
  ['ours, unchanged', { stamp: 'h' }, undefined],
  ['ours, changed', { stamp: 'old' }, 'npm ci'],
  ['yarn', { missing: ['express'], locks: ['yarn.lock'] }, 'yarn install'],
  ['pnpm', { missing: ['express'], locks: ['pnpm-lock.yaml'] }, 'pnpm install'],
])('%s', (_, changes, wanted) => {
  const plan = planNode(facts(changes));
  expect(plan && `${plan.command} ${plan.args[0]}`).toBe(wanted);
});
