// The live children by kind and name, and the two decisions about any one of them: apply it, or delete it.
import { findDrift, withIntentHash } from '../../../kube/drift.ts';
import { apiVersionOf, type KubeObject } from '../../../kube/object.ts';
import type { Change, Seen } from '../changes.ts';
import { type ChildKind, KINDS, OPTIONAL_KINDS, type OptionalKind } from '../kinds.ts';
import { ANNOTATION } from '../names.ts';

export type ChildKey = `${string}/${string}`;

export interface Children {
  readonly all: readonly KubeObject[];
  get(kind: ChildKind, name: string): KubeObject | undefined;
  /** In the order of their names. */
  of(kind: ChildKind): readonly KubeObject[];
}

export function indexChildren(objects: readonly KubeObject[]): Children {
  const byKey = new Map(objects.map((object) => [keyOfChild(object), object]));
  return {
    all: objects,
    get: (kind, name) => byKey.get(`${kind}/${name}`),
    of: (kind) =>
      objects
        .filter((object) => object.kind === kind)
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0)),
  };
}

export function keyOfChild({ kind, metadata }: KubeObject): ChildKey {
  return `${kind}/${metadata.name}`;
}

export function isLeaving(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** What an apply was made for, as `why` begins: for the log, and for telling people of a hand edit. */
export const DRIFTED = 'was changed by another: ';

/** @returns an apply of `desired` when it is missing, was wanted otherwise before, or drifted. One that is being deleted is left alone until it is gone. */
export function ensure(children: Children, desired: KubeObject): Change[] {
  const object = withIntentHash(desired, ANNOTATION.intent);
  const live = children.get(object.kind as ChildKind, object.metadata.name);
  if (live === undefined) return [{ verb: 'apply', object, create: true, why: 'it is not there' }];
  if (isLeaving(live)) return [];
  if (intentOf(live) !== intentOf(object))
    return [{ verb: 'apply', object, create: false, why: 'what is wanted changed' }];
  const drift = findDrift(object, live);
  return drift === undefined ? [] : [{ verb: 'apply', object, create: false, why: `${DRIFTED}${drift}` }];
}

export function intentOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[ANNOTATION.intent];
}

/** @returns deletes of all live children that are not `wanted`. An API that discovery does not show at the moment is no reason to delete what is of it. */
export function dropUnwanted(
  children: Children,
  wanted: ReadonlySet<ChildKey>,
  apis: ReadonlySet<OptionalKind>,
): Change[] {
  return children.all.flatMap((object): Change[] => {
    if (wanted.has(keyOfChild(object)) || isLeaving(object)) return [];
    const kind = childKindOf(object);
    if (kind === undefined || (kind in OPTIONAL_KINDS && !apis.has(kind as OptionalKind))) return [];
    return [{ verb: 'delete', kind, seen: seenOf(object), why: 'it is no longer wanted' }];
  });
}

export function seenOf({ metadata }: Pick<KubeObject, 'metadata'>): Seen {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

function childKindOf({ kind, apiVersion }: KubeObject): ChildKind | undefined {
  const resource = Object.hasOwn(KINDS, kind) ? KINDS[kind as ChildKind] : undefined;
  return resource !== undefined && apiVersionOf(resource) === apiVersion ? (kind as ChildKind) : undefined;
}
