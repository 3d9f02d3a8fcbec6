// A manifest file: one or more YAML documents, of which the WebApps are ours. Every problem is told with its line.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { Problem } from '../errors.ts';
import { type FieldPath, showValue } from '../problem-words.ts';
import { API_VERSION, KIND, type WebApp } from './schema.ts';
import { checkWebApp, isRecord } from './validate.ts';

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

type LineOf = (path: FieldPath) => number;

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
        value: showValue(name),
        message,
        mend: 'give each WebApp its own name',
        line,
      });
    }
  }
  return problems;
}
