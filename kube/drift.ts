// Whether what is there still is what is wanted. Server-side apply adds defaults and keeps what others own, so equal means: all that
// is wanted is there (`findDrift`), and nothing that an earlier intent held is left (the hash of the intent, in an annotation).
import type { KubeObject } from './object.ts';

/**
 * Pure. Lists of objects that the API keeps by key (containers, env, ports, volumes, …) are compared by their keys, others as they stand;
 * quantities by value (`1000m` is `1`).
 * @returns the path of the first field of `desired` that `live` does not have or has otherwise; undefined: none
 */
export declare function findDrift(desired: KubeObject, live: KubeObject): string | undefined;

/** @returns `object` with the hash of all of it under annotation `name`. Throws on null and on empty lists: they must not be applied. */
export declare function withIntentHash<T extends KubeObject>(object: T, name: string): T;
