// Whether what is there still is what is wanted. Server-side apply adds defaults and keeps what others own, so equal means: all that
// is wanted is there (`findDrift`), and nothing that an earlier intent held is left (the hash of the intent, in an annotation).
import { createHash } from 'node:crypto';
import { mergeKeysOf } from './merge-keys.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from './object.ts';
import { isSameQuantity } from './quantity.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Maps that an apply replaces as a whole (LabelSelector, Service.spec.selector, PodSpec.nodeSelector): a key more is a difference. */
const ATOMIC_MAPS = new Set(['selector', 'podSelector', 'namespaceSelector', 'labelSelector', 'nodeSelector']);

/** Kinds whose lists are replaced as a whole and get no defaults inside once protocols and types are written out: there, a field more is someone's. */
const EXACT_LISTS = new Set(['NetworkPolicy', 'Role', 'RoleBinding', 'Ingress', 'HorizontalPodAutoscaler']);

const QUANTITY_MAPS = new Set(['limits', 'requests']);
const QUANTITIES = new Set(['sizeLimit', 'averageValue', 'divisor']);

/**
 * The server leaves out false, 0 and '' of most fields, so there missing is the same. These are pointers in the API's types: kept when
 * written, and without them a pod is allowed more.
 */
const ZERO_IS_KEPT = new Set([
  'automountServiceAccountToken',
  'allowPrivilegeEscalation',
  'privileged',
  'readOnlyRootFilesystem',
  'replicas',
  'runAsUser',
  'runAsGroup',
  'fsGroup',
]);

/** As with zeros, the server leaves out maps with nothing in them; in these, nothing says something (all, or an empty folder). */
const EMPTY_IS_KEPT = new Set(['podSelector', 'namespaceSelector', 'labelSelector', 'emptyDir']);

/**
 * Pure. Lists of objects that the API keeps by key (containers, env, ports, volumes, …) are compared by their keys, others as they stand;
 * quantities by value (`1000m` is `1`).
 * @returns the path of the first field of `desired` that `live` does not have or has otherwise; undefined: none
 */
export function findDrift(desired: KubeObject, live: KubeObject): string | undefined {
  const inMetadata = metadataDrift(desired.metadata, live.metadata);
  if (inMetadata !== undefined) return `metadata${inMetadata}`;
  for (const field in desired) {
    if (field === 'metadata' || field === 'apiVersion' || field === 'kind') continue;
    const path = valueDrift(desired[field], live[field], field, desired.kind, false);
    if (path !== undefined) return field + path;
  }
  return undefined;
}

/** @returns `object` with the hash of all of it under annotation `name`. Throws on null and on empty lists: they must not be applied. */
export function withIntentHash<T extends KubeObject>(object: T, name: string): T {
  assertApplicable(object, object.kind);
  const { [name]: _, ...annotations } = object.metadata.annotations ?? {};
  const bare = { ...object, metadata: { ...object.metadata, annotations } };
  const hash = createHash('sha256').update(JSON.stringify(bare)).digest('hex').slice(0, 16);
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...annotations, [name]: hash } } };
}

/** Only what an intent may hold: the rest of metadata is the server's. */
function metadataDrift(desired: ObjectMeta, live: ObjectMeta): string | undefined {
  const inLabels = desired.labels && stringsDrift(desired.labels, live.labels);
  if (inLabels !== undefined) return `.labels${inLabels}`;
  const inAnnotations = desired.annotations && stringsDrift(desired.annotations, live.annotations);
  if (inAnnotations !== undefined) return `.annotations${inAnnotations}`;
  return desired.ownerReferences && ownersDrift(desired.ownerReferences, live.ownerReferences ?? []);
}

function stringsDrift(
  desired: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>> | undefined,
): string | undefined {
  for (const key in desired) if (live?.[key] !== desired[key]) return `[${key}]`;
  return undefined;
}

function ownersDrift(desired: readonly OwnerReference[], live: readonly OwnerReference[]): string | undefined {
  for (const owner of desired) {
    const found = live.find(({ uid }) => uid === owner.uid);
    if (found === undefined || (owner.controller === true && found.controller !== true))
      return `.ownerReferences[${owner.uid}]`;
  }
  return undefined;
}

/**
 * @param field name of the innermost field that the value is in
 * @param exact nothing may be there beyond what is wanted
 * @returns the rest of the path from here, '' for this very value
 */
function valueDrift(desired: unknown, live: unknown, field: string, kind: string, exact: boolean): string | undefined {
  if (desired === live || desired === undefined) return undefined;
  if (typeof desired !== 'object' || desired === null) return scalarDrift(desired, live, field, kind);
  if (Array.isArray(desired)) return Array.isArray(live) ? listDrift(desired, live, field, kind, exact) : '';
  if (live === undefined) return isEmpty(desired) && !EMPTY_IS_KEPT.has(field) ? undefined : '';
  if (typeof live !== 'object' || live === null || Array.isArray(live)) return '';
  return mapDrift(desired as Mapping, live as Mapping, field, kind, exact || ATOMIC_MAPS.has(field));
}

function scalarDrift(desired: unknown, live: unknown, field: string, kind: string): string | undefined {
  if (live === undefined) return isZero(desired) && !ZERO_IS_KEPT.has(field) ? undefined : '';
  const quantity = QUANTITIES.has(field) || (field === 'value' && kind === 'HorizontalPodAutoscaler');
  return quantity && isSameQuantity(desired, live) ? undefined : '';
}

function isZero(value: unknown): boolean {
  return value === false || value === 0 || value === '';
}

function isEmpty(map: object): boolean {
  for (const _ in map) return false;
  return true;
}

function mapDrift(desired: Mapping, live: Mapping, field: string, kind: string, exact: boolean): string | undefined {
  const quantities = QUANTITY_MAPS.has(field);
  for (const key in desired) {
    const wanted = desired[key];
    const found = live[key];
    if (wanted === found || (quantities && isSameQuantity(wanted, found))) continue;
    const path = valueDrift(wanted, found, key, kind, exact);
    if (path !== undefined) return `.${key}${path}`;
  }
  if (exact) for (const key in live) if (desired[key] === undefined) return `.${key}`;
  return undefined;
}

function listDrift(
  desired: readonly unknown[],
  live: readonly unknown[],
  field: string,
  kind: string,
  exact: boolean,
): string | undefined {
  const keys = mergeKeysOf(field, kind, desired[0]);
  if (keys !== undefined) return keyedDrift(desired, live, keys, field, kind, exact);
  if (desired.length !== live.length) return '';
  const inside = exact || EXACT_LISTS.has(kind);
  for (let index = 0; index < desired.length; index++) {
    const path = valueDrift(desired[index], live[index], field, kind, inside);
    if (path !== undefined) return `[${index}]${path}`;
  }
  return undefined;
}

function keyedDrift(
  desired: readonly unknown[],
  live: readonly unknown[],
  keys: readonly string[],
  field: string,
  kind: string,
  exact: boolean,
): string | undefined {
  for (let index = 0; index < desired.length; index++) {
    const wanted = desired[index] as Mapping;
    // In nearly all lists the element stands where it was applied.
    const there = isSameElement(wanted, live[index], keys);
    const found = there ? live[index] : live.find((one) => isSameElement(wanted, one, keys));
    const path = found === undefined ? '' : valueDrift(wanted, found, field, kind, exact);
    if (path !== undefined) return `[${keys.map((key) => String(wanted?.[key] ?? '')).join('/')}]${path}`;
  }
  return undefined;
}

function isSameElement(wanted: Mapping, live: unknown, keys: readonly string[]): boolean {
  if (typeof live !== 'object' || live === null || typeof wanted !== 'object' || wanted === null) return false;
  for (const key of keys) {
    const fallback = key === 'protocol' ? 'TCP' : undefined;
    if ((wanted[key] ?? fallback) !== ((live as Mapping)[key] ?? fallback)) return false;
  }
  return true;
}

/** kubernetes #131175: an empty list changes the object at every apply; null means something else to apply than to patch. */
function assertApplicable(value: unknown, path: string): void {
  if (value === null) throw new TypeError(`${path} is null: it must not be applied`);
  if (typeof value !== 'object') return;
  if (Array.isArray(value)) {
    if (value.length === 0) throw new TypeError(`${path} is an empty list: it must not be applied`);
    for (let index = 0; index < value.length; index++) assertApplicable(value[index], path);
    return;
  }
  // The path is for a fault of the program, and building it for each field would cost more than the walk.
  for (const key in value) {
    const inside = (value as Mapping)[key];
    if (inside === null || typeof inside === 'object') assertApplicable(inside, key);
  }
}
