// What a person wrote, checked as the API server would check it (schema, unknown fields, rules, list keys) and said as a
// person would want it said: every problem, with its field, value, mend and line.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { Problem } from '../errors.ts';
import { rulesOf } from './rules.ts';
import { API_VERSION, KIND, type WebApp, webAppSchema } from './schema.ts';

export interface ParsedWebApp {
  readonly webApp: WebApp;
  /** Line of the document's first key, from 1. */
  readonly line: number;
}

export interface ParsedFile {
  readonly webApps: readonly ParsedWebApp[];
  readonly problems: readonly Problem[];
  /** Other objects in the file, such as `Secret/shop`: not ours, not looked at. */
  readonly ignored: readonly string[];
}

type Path = readonly PropertyKey[];
type LineOf = (path: Path) => number;

/**
 * @param text one or more YAML (or JSON) documents, or a List
 * @returns the WebApps that are whole, and every problem of the others
 */
export function parseWebApps(text: string): ParsedFile {
  const webApps: ParsedWebApp[] = [];
  const problems: Problem[] = [];
  const ignored: string[] = [];
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const documents = 'empty' in parsed ? [] : parsed;
  for (const document of documents) {
    if (document.errors.length > 0) {
      problems.push(...document.errors.map((error) => syntaxProblem(error.message, lines.linePos(error.pos[0]).line)));
      continue;
    }
    const root = document.contents;
    if (root === null) continue;
    let value: unknown;
    try {
      // Aliases may repeat each other without end ("billion laughs"); no honest WebApp has a hundred.
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      problems.push(syntaxProblem(String((error as Error).message), 1));
      continue;
    }
    for (const { item, node } of itemsOf(value, root as Node)) {
      const line = lineOf(node, lines);
      if (!isWebApp(item)) {
        ignored.push(describe(item));
        continue;
      }
      const checked = checkWebApp(item);
      if (checked.webApp) webApps.push({ webApp: checked.webApp, line: line([]) });
      problems.push(...checked.problems.map(({ path, ...problem }) => ({ ...problem, line: line(path) })));
    }
  }
  problems.push(...repeatedNames(webApps));
  if (webApps.length === 0 && problems.length === 0) problems.push(nothingFound(ignored));
  return { webApps, problems, ignored };
}

/** @returns the defaulted WebApp, or every problem of `value`. */
export function validateWebApp(value: unknown): { readonly webApp?: WebApp; readonly problems: readonly Problem[] } {
  const { problems, ...rest } = checkWebApp(value);
  return { ...rest, problems: problems.map(({ path: _, ...problem }) => problem) };
}

interface PathProblem extends Problem {
  readonly path: Path;
}

function checkWebApp(raw: unknown): { webApp?: WebApp; problems: PathProblem[] } {
  const value = withoutNulls(raw);
  const problems = unknownFields(webAppSchema, value, []);
  const parsed = webAppSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) problems.push(...parsed.error.issues.map(issueProblem));
  problems.push(...brokenRules(webAppSchema, value, []), ...repeatedKeys(webAppSchema, value, []));
  problems.sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0));
  return parsed.success && problems.length === 0 ? { webApp: parsed.data, problems } : { problems };
}

// ── the YAML file ──

function itemsOf(value: unknown, node: Node): { item: unknown; node: Node }[] {
  const list = isRecord(value) && value['kind'] === 'List' && Array.isArray(value['items']);
  if (!list || !isMap(node)) return [{ item: value, node }];
  const items = node.get('items', true);
  return (value['items'] as unknown[]).map((item, index) => ({
    item,
    node: (isSeq(items) ? (items.items[index] as Node | undefined) : undefined) ?? node,
  }));
}

/** @returns a function from a field's path to its line; a missing field has its parent's. */
function lineOf(root: Node, lines: LineCounter): LineOf {
  return (path) => {
    let offset = root.range?.[0] ?? 0;
    let node: unknown = root;
    for (const key of path) {
      const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
      const next: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(key)] : undefined;
      const at = (pair ? (pair.key as Node) : (next as Node | undefined))?.range?.[0];
      if (at === undefined) break;
      offset = at;
      node = next;
    }
    return lines.linePos(offset).line;
  };
}

function isWebApp(item: unknown): boolean {
  if (!isRecord(item)) return true; // checked further, so that the problem is said
  const { apiVersion, kind } = item;
  if (kind === KIND || (typeof apiVersion === 'string' && apiVersion === API_VERSION)) return true;
  return typeof apiVersion !== 'string' || typeof kind !== 'string';
}

function describe(item: unknown): string {
  const { kind, metadata } = item as { kind: string; metadata?: { name?: unknown } };
  return `${kind}/${String(metadata?.name ?? '?')}`;
}

function syntaxProblem(message: string, line: number): Problem {
  const first = message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message;
  return {
    field: '(file)',
    message: `not valid YAML: ${first}`,
    mend: `look at line ${line}: indentation, quotes and colons`,
    line,
  };
}

function nothingFound(ignored: readonly string[]): Problem {
  const found = ignored.length > 0 ? `, only ${ignored.slice(0, 5).join(', ')}` : '';
  return {
    field: '(file)',
    message: `no WebApp in it${found}`,
    mend: `begin with apiVersion: ${API_VERSION} and kind: ${KIND}`,
  };
}

function repeatedNames(webApps: readonly ParsedWebApp[]): Problem[] {
  const seen = new Map<string, number>();
  const problems: Problem[] = [];
  for (const { webApp, line } of webApps) {
    const { name, namespace = '' } = webApp.metadata;
    const before = seen.get(`${namespace}/${name}`);
    if (before === undefined) seen.set(`${namespace}/${name}`, line);
    else {
      const message = `a WebApp of this name stands at line ${before} already`;
      problems.push({
        field: 'metadata.name',
        value: show(name),
        message,
        mend: 'give each WebApp its own name',
        line,
      });
    }
  }
  return problems;
}

// ── schema ──

function issueProblem(issue: z.core.$ZodIssue): PathProblem {
  const schema = schemaAt(webAppSchema, issue.path);
  const missing = issue.input === undefined;
  return {
    path: issue.path,
    field: fieldName(issue.path),
    ...(!missing && { value: show(issue.input) }),
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

function unknownFields(schema: z.core.$ZodType, value: unknown, path: Path): PathProblem[] {
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

function unknownField(parent: z.ZodObject, key: string, path: Path): PathProblem {
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
function brokenRules(schema: z.core.$ZodType, value: unknown, path: Path): PathProblem[] {
  return visit(schema, value, path, (node, item, at) => {
    const rules = rulesOf(node);
    const whole = rules.length > 0 ? z.safeParse(node, item) : undefined;
    if (!whole?.success) return [];
    return rules
      .filter((rule) => !rule.holds(whole.data))
      .map(({ message, mend }) => ({
        path: at,
        field: fieldName(at),
        ...(!isRecord(item) && { value: show(item) }),
        message,
        mend,
      }));
  });
}

/** Lists that the API server keeps as maps hold each key once. */
function repeatedKeys(schema: z.core.$ZodType, value: unknown, path: Path): PathProblem[] {
  return visit(schema, value, path, (node, item, at) => {
    if (!(node instanceof z.ZodArray) || !Array.isArray(item)) return [];
    const key = (node.meta()?.['x-kubernetes-list-map-keys'] as string[] | undefined)?.[0];
    if (key === undefined) return [];
    const names = item.map((entry: unknown) => (isRecord(entry) ? entry[key] : undefined));
    return names.flatMap((name, index) => {
      if (name === undefined || names.indexOf(name) === index) return [];
      const itself = [...at, index, key];
      const message = `${key} stands in the list already`;
      return [
        {
          path: itself,
          field: fieldName(itself),
          value: show(name),
          message,
          mend: `remove one of the two, or give it another ${key}`,
        },
      ];
    });
  });
}

/** Walks the schema's nodes that `value` has, wrappers (optional, default) included once unwrapped. */
function visit(
  schema: z.core.$ZodType,
  value: unknown,
  path: Path,
  look: (node: z.core.$ZodType, value: unknown, path: Path) => PathProblem[],
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

function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let node: z.core.$ZodType | undefined = schema;
  for (const key of path) {
    const inner: z.core.$ZodType | undefined = node && unwrap(node);
    if (inner instanceof z.ZodObject) node = inner.shape[String(key)] as z.core.$ZodType | undefined;
    else if (inner instanceof z.ZodArray) node = inner.element as z.core.$ZodType;
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

function fieldPaths(schema: z.core.$ZodType, path: Path): Path[] {
  const node = unwrap(schema);
  if (!(node instanceof z.ZodObject)) return [];
  return Object.entries(node.shape).flatMap(([key, field]) => [
    [...path, key],
    ...fieldPaths(field as z.core.$ZodType, [...path, key]),
  ]);
}

// ── values ──

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `key:` with nothing behind it is null in YAML; the API server then takes the default, and so do we. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}

/** @returns `spec.env[2].name` */
function fieldName(path: Path): string {
  if (path.length === 0) return '(document)';
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
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

/** Levenshtein distance, for did-you-mean. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
