// What a new version has to pass before the worker Deployment takes it: an ordered list of small checks, of which the first that holds decides.
import type { ReasonOf } from '../../../core/app/conditions.ts';
import type { Reference } from '../observed.ts';
import type { Revision } from '../revision.ts';
import type { Migration } from './migration.ts';

export interface GateInput {
  readonly references: readonly Reference[];
  readonly migration: Migration;
  readonly target: Revision | undefined;
  /** Whether every proxy pod has the target's static files, or none has to. */
  readonly proxyPrepared: boolean;
}

export interface Hold {
  readonly gate: GateName;
  readonly reason: ReasonOf<'Progressing'>;
  /** For people. */
  readonly message: string;
}

export type GateName = 'references' | 'migration' | 'statics';
type Verdict = Omit<Hold, 'gate'> | undefined;

/** In this order: what runs in a migration needs its Secrets; a version whose migration failed must not leave its files with the proxy. */
export const GATES: readonly { readonly name: GateName; readonly check: (input: GateInput) => Verdict }[] = [
  { name: 'references', check: waitForReferences },
  { name: 'migration', check: waitForMigration },
  { name: 'statics', check: waitForProxy },
];

/** @returns the first gate that holds; undefined: all are passed */
export function firstHold(input: GateInput): Hold | undefined {
  for (const { name, check } of GATES) {
    const verdict = check(input);
    if (verdict) return { gate: name, ...verdict };
  }
  return undefined;
}

/** What is not whole: a version made without it would start with nothing, or not at all. */
export function isLacking({ state, missingKeys }: Reference): boolean {
  return state !== 'present' || missingKeys.length > 0;
}

/** Nothing is known to be missing, but not all was heard of yet: an operator that has just started, or a field that has just been written. */
export function isUnheard(references: readonly Reference[]): boolean {
  const lacking = references.filter(isLacking);
  return lacking.length > 0 && lacking.every(({ state }) => state === 'unknown');
}

/** What is known to be missing is named, and not what may be heard of at any moment. */
function waitForReferences({ references }: GateInput): Verdict {
  const all = references.filter(isLacking);
  if (all.length === 0) return undefined;
  const lacking = isUnheard(references) ? all : all.filter(({ state }) => state !== 'unknown');
  const what = lacking.slice(0, 5).map(({ kind, name }) => `${kind} ${name}`);
  return { reason: 'WaitingForReference', message: `The rollout waits for ${what.join(', ')}.` };
}

function waitForMigration({ migration, target }: GateInput): Verdict {
  const version = target?.image ?? 'the new version';
  switch (migration.state) {
    case 'none':
    case 'complete':
      return undefined;
    case 'busy':
      return { reason: 'Migrating', message: 'The migration of an earlier version is still running.' };
    case 'due':
    case 'running':
    case 'stale':
      return { reason: 'Migrating', message: `The migration of ${version} runs; the version before serves.` };
    case 'failed':
      return { reason: 'MigrationFailed', message: `The migration of ${version} failed; it is not rolled out.` };
  }
}

function waitForProxy({ proxyPrepared, target }: GateInput): Verdict {
  if (proxyPrepared) return undefined;
  const image = target?.image ?? 'the new version';
  return { reason: 'PreparingProxy', message: `Proxy pods with the static files of ${image} come up first.` };
}
