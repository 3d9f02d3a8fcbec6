// What an edit of a WebApp changes, in one line for a person. Pure.
import type { WebApp } from '../../core/app/schema.ts';
import { specHere } from '../cluster-only.ts';

/** Lists whose items have a name of their own. */
const KEYS = ['name', 'path'];
/** Values of variables may be secrets: only that they changed is shown. */
const SECRET = /^env\[/;
const MAX_VALUE = 40;

/**
 * Compares what is in force on this machine: `image` is not, nor is what only the cluster reads.
 * @returns such as `workers.processes 3 → 8`, one for each changed field
 */
export function changedFields(before: WebApp, after: WebApp): string[] {
  const old = flatten(specHere(before));
  const now = flatten(specHere(after));
  const fields = [...new Set([...old.keys(), ...now.keys()])].filter((field) => old.get(field) !== now.get(field));
  return fields.map((field) => sentence(field, old.get(field), now.get(field)));
}

function sentence(field: string, before: string | undefined, after: string | undefined): string {
  if (SECRET.test(field)) {
    const name = field.replace(/\]\.value$/, ']');
    return `${name} ${before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'}`;
  }
  if (before === undefined) return `${field} ${after}`;
  if (after === undefined) return `${field} ${before} removed`;
  return `${field} ${before} → ${after}`;
}

/** @returns each leaf by its path: `workers.processes`, `env[DEBUG].value`, `proxy.static[/static].from` */
function flatten(value: object): Map<string, string> {
  const leaves = new Map<string, string>();
  const visit = (item: unknown, path: string): void => {
    if (item === undefined) return;
    if (Array.isArray(item)) {
      for (const [index, entry] of item.entries()) visit(entry, `${path}[${keyOf(entry) ?? index}]`);
    } else if (typeof item === 'object' && item !== null) {
      const own = path.endsWith(']') ? KEYS : [];
      for (const [key, entry] of Object.entries(item)) {
        if (!own.includes(key)) visit(entry, path === '' ? key : `${path}.${key}`);
      }
    } else {
      const text = String(item);
      leaves.set(path, SECRET.test(path) || text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`);
    }
  };
  visit(value, '');
  return leaves;
}

function keyOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const key = KEYS.find((name) => name in entry);
  return key === undefined ? undefined : String((entry as Record<string, unknown>)[key]);
}
