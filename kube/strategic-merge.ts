// Strategic merge of pod templates, as `kubectl patch` does it: maps merge, lists that have a merge key (containers by name, …) merge by
// it, other lists are replaced; null removes. Directives `$patch: delete|replace` are understood, and `$retainKeys`; another one
// stays where it is, so that the API server says no to it.
import { mergeKeysOf } from './merge-keys.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** No field of a pod lies half as deep. What does is left out: a recursion must end before the stack does. */
const DEEPEST = 64;

/** Pure; neither argument is changed. @param patch a partial PodTemplateSpec, from a person: hostile shapes (a text where a list belongs) replace what stood there */
export function mergePodTemplate(template: object, patch: object): object {
  return mergeMaps(template as Mapping, patch as Mapping, 0) ?? {};
}

/** @returns undefined: the patch deletes it */
function mergeMaps(original: Mapping, patch: Mapping, depth: number): Mapping | undefined {
  const { $patch: directive, $retainKeys: retained, ...fields } = patch;
  if (directive === 'delete') return undefined;
  const base = directive === 'replace' ? {} : retain(original, retained);
  const merged = new Map<string, unknown>(Object.entries(base));
  for (const [field, value] of Object.entries(fields)) {
    const result = mergeValues(merged.get(field), value, field, depth + 1);
    if (result === undefined) merged.delete(field);
    else merged.set(field, result);
  }
  // fromEntries defines: a field named __proto__ is a field.
  return Object.fromEntries(merged);
}

function retain(original: Mapping, retained: unknown): Mapping {
  if (!Array.isArray(retained)) return original;
  return Object.fromEntries(Object.entries(original).filter(([field]) => retained.includes(field)));
}

function mergeValues(original: unknown, patch: unknown, field: string, depth: number): unknown {
  if (patch === null || patch === undefined || depth > DEEPEST) return undefined;
  if (Array.isArray(patch)) return mergeLists(Array.isArray(original) ? original : [], patch, field, depth);
  if (isMapping(patch)) return mergeMaps(isMapping(original) ? original : {}, patch, depth);
  return patch;
}

function mergeLists(original: readonly unknown[], patch: readonly unknown[], field: string, depth: number): unknown[] {
  const keys = keysFor(field, patch);
  const replaces = patch.some((one) => isMapping(one) && one['$patch'] === 'replace' && Object.keys(one).length === 1);
  const elements = replaces
    ? patch.filter((one) => !(isMapping(one) && one['$patch'] === 'replace' && Object.keys(one).length === 1))
    : patch;
  const merged = keys === undefined || replaces ? [] : [...original];
  for (const element of elements) {
    const index = keys && isMapping(element) ? merged.findIndex((one) => isSameElement(one, element, keys)) : -1;
    const result = mergeValues(merged[index], element, '', depth + 1);
    if (index >= 0) merged.splice(index, 1, ...(result === undefined ? [] : [result]));
    else if (result !== undefined) merged.push(result);
  }
  return merged;
}

/**
 * As `+patchMergeKey` has it: by topologyKey alone, so that a person's DoNotSchedule takes the place of ScheduleAnyway. Not for ports,
 * where `containerPort` alone would make one port of TCP and UDP.
 */
function keysFor(field: string, patch: readonly unknown[]): readonly string[] | undefined {
  if (field === 'topologySpreadConstraints') return ['topologyKey'];
  return mergeKeysOf(field, 'Pod', field === 'ports' ? { containerPort: 0 } : patch[0]);
}

function isSameElement(one: unknown, other: Mapping, keys: readonly string[]): boolean {
  if (!isMapping(one)) return false;
  return keys.every((key) => {
    const fallback = key === 'protocol' ? 'TCP' : undefined;
    const value = other[key] ?? fallback;
    return value !== undefined && (one[key] ?? fallback) === value;
  });
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
