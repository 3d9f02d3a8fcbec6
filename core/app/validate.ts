// What a person wrote, checked as the API server would check it (schema, unknown fields, rules, list keys) and said as a
// person would want it said: every problem, with its field, value and mend.
import { z } from 'zod';
import type { Problem } from '../errors.ts';
import { distance, type FieldPath, fieldName, showValue } from '../problem-words.ts';
import { type Rule, rulesOf } from './rules.ts';
import { type WebApp, webAppSchema } from './schema.ts';

/** @returns the defaulted WebApp, or every problem of `value`. */
export function validateWebApp(value: unknown): { readonly webApp?: WebApp; readonly problems: readonly Problem[] } {
  const { problems, ...rest } = checkWebApp(value);
  return { ...rest, problems: problems.map(({ path: _, ...problem }) => problem) };
}

export interface PathProblem extends Problem {
  readonly path: FieldPath;
}

/** As `validateWebApp`, each problem with its path. */
export function checkWebApp(raw: unknown): { webApp?: WebApp; problems: PathProblem[] } {
  const value = withoutNulls(webAppSchema, raw);
  const problems = unknownFields(webAppSchema, value, []);
  const parsed = webAppSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) problems.push(...parsed.error.issues.map(issueProblem));
  problems.push(
    ...brokenRules(webAppSchema, value, []),
    ...repeatedKeys(webAppSchema, value, []),
    ...crowdedMappings(webAppSchema, value, []),
  );
  problems.sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0));
  return parsed.success && problems.length === 0 ? { webApp: parsed.data, problems } : { problems };
}

function issueProblem(issue: z.core.$ZodIssue): PathProblem {
  const schema = schemaAt(webAppSchema, issue.path);
  const missing = issue.input === undefined;
  return {
    path: issue.path,
    field: fieldName(issue.path),
    ...(!missing && { value: showValue(issue.input) }),
    message: missing ? 'is required' : issueMessage(issue),
    mend: mendOf(schema) ?? (missing ? `add ${String(issue.path.at(-1))}` : 'see docs/reference.md for what goes here'),
  };
}

function issueMessage(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${article(issue.expected)}, not ${article(typeName(issue.input))}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' items' : ''}`;
    case 'invalid_format':
      return 'does not have the right form';
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    default:
      return 'is not one of the values that may stand here';
  }
}

function unknownFields(schema: z.core.$ZodType, value: unknown, path: FieldPath): PathProblem[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item, index) => unknownFields(inner.element, item, [...path, index]));
  }
  if (!(inner instanceof z.ZodObject) || !isRecord(value)) return [];
  const open = inner.def.catchall !== undefined; // metadata: the API server's own fields
  return Object.entries(value).flatMap(([key, item]) => {
    const field = Object.hasOwn(inner.shape, key) ? (inner.shape[key] as z.core.$ZodType) : undefined;
    if (field) return unknownFields(field, item, [...path, key]);
    if (open || (path.length === 0 && key === 'status')) return [];
    return [unknownField(inner, key, [...path, key])];
  });
}

function unknownField(parent: z.ZodObject, key: string, path: FieldPath): PathProblem {
  const siblings = Object.keys(parent.shape);
  const elsewhere = fieldPaths(webAppSchema, []).find((known) => known.at(-1) === key);
  const near = siblings.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= Math.max(1, key.length >> 2));
  const mend = near
    ? `did you mean ${near}?`
    : elsewhere
      ? `it belongs at ${fieldName(elsewhere)}`
      : `known here: ${siblings.join(', ')}`;
  return { path, field: fieldName(path), message: 'there is no such field', mend };
}

/** Rules of the parts that are whole: one problem must not hide another elsewhere. */
function brokenRules(schema: z.core.$ZodType, value: unknown, path: FieldPath): PathProblem[] {
  return visit(schema, value, path, (node, item, at) => {
    const rules = rulesOf(node);
    const whole = rules.length > 0 ? z.safeParse(node, item) : undefined;
    if (!whole?.success) return [];
    return rules
      .filter((rule) => !rule.holds(whole.data))
      .map((rule) => ruleProblem(rule, [...at, ...(rule.field ?? [])], whole.data));
  });
}

function ruleProblem({ message, mend, found }: Rule, path: FieldPath, value: unknown): PathProblem {
  const shown = found ? found.say(value) : isRecord(value) ? undefined : showValue(value);
  return { path, field: fieldName(path), ...(shown !== undefined && { value: shown }), message, mend };
}

/** Lists that the API server keeps as maps hold each key once; those that it keeps as sets, each value. */
function repeatedKeys(schema: z.core.$ZodType, value: unknown, path: FieldPath): PathProblem[] {
  return visit(schema, value, path, (node, item, at) => {
    if (!(node instanceof z.ZodArray) || !Array.isArray(item)) return [];
    const meta = node.meta() ?? {};
    const key = (meta['x-kubernetes-list-map-keys'] as string[] | undefined)?.[0];
    if (key !== undefined) {
      const names = item.map((entry: unknown) => (isRecord(entry) ? entry[key] : undefined));
      return repeats(names).map((index) => repeatProblem([...at, index, key], names[index], key));
    }
    if (meta['x-kubernetes-list-type'] !== 'set') return [];
    return repeats(item).map((index) => repeatProblem([...at, index], item[index], 'value'));
  });
}

/** @returns where a value stands that stood before */
function repeats(values: readonly unknown[]): number[] {
  const seen = new Set<unknown>();
  return values.flatMap((value, index) => {
    const again = value !== undefined && seen.has(value);
    seen.add(value);
    return again ? [index] : [];
  });
}

function repeatProblem(path: FieldPath, value: unknown, what: string): PathProblem {
  return {
    path,
    field: fieldName(path),
    value: showValue(value),
    message: `${what} stands in the list already`,
    mend: `remove one of the two, or give it another ${what}`,
  };
}

/** zod's records have no bound of their own: the one that the CRD has is in their metadata. */
function crowdedMappings(schema: z.core.$ZodType, value: unknown, path: FieldPath): PathProblem[] {
  return visit(schema, value, path, (node, item, at) => {
    const most = node instanceof z.ZodRecord ? (node.meta()?.['maxProperties'] as number | undefined) : undefined;
    if (most === undefined || !isRecord(item) || Object.keys(item).length <= most) return [];
    const value = `${Object.keys(item).length} of them`;
    return [{ path: at, field: fieldName(at), value, message: `must be at most ${most} items`, mend: 'remove some' }];
  });
}

/** Walks the schema's nodes that `value` has, wrappers (optional, default) included once unwrapped. */
function visit(
  schema: z.core.$ZodType,
  value: unknown,
  path: FieldPath,
  look: (node: z.core.$ZodType, value: unknown, path: FieldPath) => PathProblem[],
): PathProblem[] {
  if (value === undefined) return [];
  const node = unwrap(schema);
  const own = look(node, value, path);
  if (node instanceof z.ZodArray && Array.isArray(value)) {
    return [...own, ...value.flatMap((item, index) => visit(node.element, item, [...path, index], look))];
  }
  if (node instanceof z.ZodObject && isRecord(value)) {
    return [
      ...own,
      ...Object.entries(node.shape).flatMap(([key, field]) =>
        visit(field as z.core.$ZodType, value[key], [...path, key], look),
      ),
    ];
  }
  return own;
}

/** @returns the schema inside optional, default and prefault. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrap(schema.unwrap() as z.core.$ZodType);
  }
  return schema;
}

function schemaAt(schema: z.core.$ZodType, path: FieldPath): z.core.$ZodType | undefined {
  let node: z.core.$ZodType | undefined = schema;
  for (const key of path) {
    const inner: z.core.$ZodType | undefined = node && unwrap(node);
    if (inner instanceof z.ZodObject) node = inner.shape[String(key)] as z.core.$ZodType | undefined;
    else if (inner instanceof z.ZodArray) node = inner.element as z.core.$ZodType;
    else if (inner instanceof z.ZodRecord) node = inner.valueType as z.core.$ZodType;
    else return undefined;
  }
  return node;
}

function mendOf(schema: z.core.$ZodType | undefined): string | undefined {
  for (let node = schema; node; ) {
    const mend = (node as z.ZodType).meta()?.['mend'];
    if (typeof mend === 'string') return mend;
    const inner =
      node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault
        ? node.unwrap()
        : undefined;
    node = inner as z.core.$ZodType | undefined;
  }
  return undefined;
}

function fieldPaths(schema: z.core.$ZodType, path: FieldPath): FieldPath[] {
  const node = unwrap(schema);
  if (!(node instanceof z.ZodObject)) return [];
  return Object.entries(node.shape).flatMap(([key, field]) => [
    [...path, key],
    ...fieldPaths(field as z.core.$ZodType, [...path, key]),
  ]);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `key:` with nothing behind it is null in YAML; the API server then takes the default, and so do we. Below a field that is not ours to know (a
 * pod template) a null is kept, as there: it removes something.
 */
function withoutNulls(schema: z.core.$ZodType | undefined, value: unknown): unknown {
  const node = schema && unwrap(schema);
  if (Array.isArray(value)) {
    const element = node instanceof z.ZodArray ? node.element : undefined;
    return value.map((item) => withoutNulls(element, item));
  }
  if (!isRecord(value) || isForeign(node)) return value;
  const shape: Readonly<Record<string, z.core.$ZodType>> = node instanceof z.ZodObject ? node.shape : {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(shape[key], item)]),
  );
}

/** `x-kubernetes-preserve-unknown-fields` */
function isForeign(node: z.core.$ZodType | undefined): boolean {
  return node instanceof z.ZodObject && node.meta()?.['x-kubernetes-preserve-unknown-fields'] === true;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (isRecord(value)) return 'mapping';
  return typeof value;
}

function article(type: string): string {
  const plain: Record<string, string> = {
    array: 'list',
    object: 'mapping',
    record: 'mapping',
    int: 'whole number',
    string: 'text',
  };
  const name = plain[type] ?? type;
  return name === 'text' ? name : `a ${name}`;
}
