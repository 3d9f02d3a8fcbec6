import type { z } from 'zod';

/**
 * A rule over more than one field, or one that a JSON schema cannot say. It is written twice, once for the API server (CEL)
 * and once for this process.
 */
export interface Rule<T = unknown> {
  /** CEL over `self`, for `x-kubernetes-validations`. */
  readonly cel: string;
  /** The same in TypeScript. Called only with a value that its schema accepts. */
  readonly holds: (value: T) => boolean;
  readonly message: string;
  readonly mend: string;
}

const registry = new WeakMap<z.core.$ZodType, readonly Rule[]>();

/** @returns `schema`, with `rules` attached for the CRD generator and for validation. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: Rule<z.output<S>>[]): S {
  registry.set(schema, rules as readonly Rule[]);
  return schema;
}

/** @returns the rules attached to `schema`, none when there are none. */
export function rulesOf(schema: z.core.$ZodType): readonly Rule[] {
  return registry.get(schema) ?? [];
}
