// How the fake server changes objects: RFC 7386 merge patches, and an apply that is right for maps and replaces lists whole. What
// server-side apply does with list keys is tested on a real server only.

export type Json = { readonly [field: string]: unknown };

export const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386: null removes. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}

/** @param before what the same manager applied last: what it held and `intent` does not is removed */
export function applyIntent(live: unknown, before: unknown, intent: unknown): unknown {
  if (!isMap(intent)) return intent;
  const merged: Record<string, unknown> = isMap(live) ? { ...live } : {};
  const held = isMap(before) ? before : {};
  for (const field of Object.keys(held)) if (!(field in intent)) delete merged[field];
  for (const [field, value] of Object.entries(intent)) merged[field] = applyIntent(merged[field], held[field], value);
  return merged;
}
