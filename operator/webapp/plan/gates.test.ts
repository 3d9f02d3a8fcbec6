import { expect, test } from 'vitest';
import type { Reference } from '../observed.ts';
import type { Revision } from '../revision.ts';
import { firstHold, GATES, type GateInput } from './gates.ts';
import type { MigrationState } from './migration.ts';

const target = { id: 'a', image: 'shop:2' } as Revision;
const secret = (state: Reference['state'], missingKeys: string[] = []): Reference => ({
  kind: 'Secret',
  name: 'keys',
  field: 'spec.env[0]',
  keys: [],
  state,
  missingKeys,
});
const input = (of: Partial<GateInput> = {}): GateInput => ({
  references: [],
  migration: { state: 'none', key: undefined, job: undefined, kept: [] },
  target,
  proxyPrepared: true,
  ...of,
});
const migration = (state: MigrationState): GateInput['migration'] => ({ state, key: 'k', job: undefined, kept: [] });

test('the order of the gates', () => {
  expect(GATES.map(({ name }) => name)).toEqual(['references', 'migration', 'statics']);
});

test('the first that holds decides', () => {
  const all = input({ references: [secret('missing')], migration: migration('running'), proxyPrepared: false });
  expect(firstHold(all)).toMatchObject({ gate: 'references', reason: 'WaitingForReference' });
  expect(firstHold({ ...all, references: [] })).toMatchObject({ gate: 'migration', reason: 'Migrating' });
  expect(firstHold({ ...all, references: [], migration: migration('complete') })).toMatchObject({
    gate: 'statics',
    reason: 'PreparingProxy',
  });
  expect(firstHold(input())).toBeUndefined();
});

test.each([
  ['present', secret('present'), undefined],
  ['missing', secret('missing'), 'WaitingForReference'],
  ['forbidden', secret('forbidden'), 'WaitingForReference'],
  ['not heard of yet', secret('unknown'), 'WaitingForReference'],
  ['without a key', secret('present', ['URL']), 'WaitingForReference'],
])('a reference that is %s', (_name, reference, wanted) => {
  expect(firstHold(input({ references: [reference] }))?.reason).toBe(wanted);
});

test.each<[MigrationState, string | undefined]>([
  ['none', undefined],
  ['complete', undefined],
  ['due', 'Migrating'],
  ['running', 'Migrating'],
  ['busy', 'Migrating'],
  ['stale', 'Migrating'],
  ['failed', 'MigrationFailed'],
])('a migration that is %s', (state, wanted) => {
  expect(firstHold(input({ migration: migration(state) }))?.reason).toBe(wanted);
});
