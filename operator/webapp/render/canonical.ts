// One form for one meaning: what comes back from the API server has its keys sorted, so what is hashed or compared as text is sorted too.
import { createHash } from 'node:crypto';

/** @returns a copy with sorted keys, without null, undefined and empty lists: none of them may be applied */
export function canonical<T>(value: T): T {
  return copy(value) as T;
}

/** @returns `digits` hex digits over `value`, the same for every order of keys */
export function digest(value: unknown, digits = 16): string {
  const text = JSON.stringify(copy(value)) ?? '';
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) {
    const elements = value.map(copy).filter((element) => element !== undefined);
    return elements.length === 0 ? undefined : elements;
  }
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  const entries: [string, unknown][] = [];
  for (const [key, inside] of Object.entries(value).sort(byKey)) {
    const copied = copy(inside);
    if (copied !== undefined) entries.push([key, copied]);
  }
  return Object.fromEntries(entries);
}

function byKey([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}
