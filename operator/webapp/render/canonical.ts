// One form for one meaning: what comes back from the API server has its keys sorted, so what is hashed or compared as text is sorted too.
import { createHash } from 'node:crypto';

/** kube/strategic-merge.ts goes no deeper either: what a person nests further is in no pod, and must not end the stack. */
const DEEPEST = 80;

/** @returns a copy with sorted keys, without null, undefined and empty lists: none of them may be applied */
export function canonical<T>(value: T): T {
  return copy(value, 0) as T;
}

/** @returns `digits` hex digits over `value`, the same for every order of keys */
export function digest(value: unknown, digits = 16): string {
  return digestOfCanonical(canonical(value), digits);
}

/** As `digest`, for what is in that form already: half the work. */
export function digestOfCanonical(value: unknown, digits = 16): string {
  const text = JSON.stringify(value) ?? '';
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

function copy(value: unknown, depth: number): unknown {
  if (value === null || depth > DEEPEST) return undefined;
  if (typeof value !== 'object') return value;
  return Array.isArray(value) ? copyList(value, depth) : copyMap(value as Record<string, unknown>, depth);
}

function copyList(list: readonly unknown[], depth: number): unknown[] | undefined {
  const elements: unknown[] = [];
  for (const element of list) {
    const copied = copy(element, depth + 1);
    if (copied !== undefined) elements.push(copied);
  }
  return elements.length === 0 ? undefined : elements;
}

/** Runs over every object of every pass: no arrays of pairs. */
function copyMap(map: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  const copied: Record<string, unknown> = {};
  for (const key of Object.keys(map).sort()) {
    const value = copy(map[key], depth + 1);
    if (value === undefined) continue;
    if (key === '__proto__') Object.defineProperty(copied, key, { value, enumerable: true, writable: true });
    else copied[key] = value;
  }
  return copied;
}
