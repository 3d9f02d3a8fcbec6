import { z } from 'zod';

/**
 * A rule over more than one field, or one that a JSON schema cannot say. It is written twice, once for the API server (CEL)
 * and once for this process.
 */
export interface Rule<T = unknown> {
  /** CEL over `self`, for `x-kubernetes-validations`. It must also hold for a default `{}`, whose own defaults are not filled in yet. */
  readonly cel: string;
  /** The same in TypeScript. Called only with a value that its schema accepts. */
  readonly holds: (value: T) => boolean;
  readonly message: string;
  readonly mend: string;
  /** The field to blame, when the rule stands over several: keys from there on. Default: what the rule stands on. */
  readonly field?: readonly string[];
  /**
   * What was found, in words, twice like the rule itself: for a rule over a mapping or a list, of which the API server shows no
   * value. Without CEL where it is a number: the API server knows no bound for the length of one, and refuses the schema.
   */
  readonly found?: { readonly cel?: string; readonly say: (value: T) => string };
}

const registry = new WeakMap<z.core.$ZodType, readonly Rule[]>();

/**
 * @param schema not a wrapper (optional, default, prefault): what walks the schema looks through those
 * @returns `schema`, with `rules` attached for the CRD generator and for validation.
 */
export function withRules<S extends z.ZodType>(schema: S, ...rules: Rule<z.output<S>>[]): S {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    throw new Error(`rules belong on the schema inside its default: ${rules.map(({ message }) => message).join(', ')}`);
  registry.set(schema, rules as readonly Rule[]);
  return schema;
}

/** @returns the rules attached to `schema`, or to what `describe` and `meta` copied it from; none when there are none. */
export function rulesOf(schema: z.core.$ZodType): readonly Rule[] {
  const parent = schema._zod.parent;
  return registry.get(schema) ?? (parent ? rulesOf(parent) : []);
}

/** @param keys optional fields of a mapping */
export function exactlyOne(
  keys: readonly [string, string, ...string[]],
  mend = 'write one of them, and only one',
): Rule<object> {
  const given = (value: object): string[] =>
    keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined);
  const names = `${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}`;
  const has = keys.map((key) => `has(self.${key})`);
  return {
    cel: `${has.map((one) => `(${one} ? 1 : 0)`).join(' + ')} == 1`,
    holds: (value) => given(value).length === 1,
    message: `must have exactly one of ${names}`,
    mend,
    found: {
      cel: `(${has.join(' || ')} ? '${keys.length > 2 ? 'more' : 'both'}' : 'none')`,
      say: (value) => given(value).join(' and ') || 'none',
    },
  };
}
