// Rows of promises → the table in e2e/results/. Written at the end of `npm run e2e`; `makeReport` is pure.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ProviderName } from '../cluster/real-cluster.ts';
import { failedOf, type PromiseRow } from './rows.ts';

export interface Report {
  readonly provider: ProviderName;
  /** Of `cluster.versions()`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly PromiseRow[];
  readonly began: Date;
  readonly ended: Date;
  /** Names of tests that failed: what they counted may still stand among the rows. Default: none. */
  readonly unkept?: readonly string[];
}

/** @param report.path such as `e2e/results/native.md`; its folder is made, what was there is replaced whole */
export function writeReport({ path, ...report }: Omit<Report, 'ended'> & { readonly path: string }): void {
  const text = makeReport({ ...report, ended: new Date() });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.partial`, text);
  renameSync(`${path}.partial`, path);
}

/** @returns Markdown: when and on what, a line for each promise in the order of files, the total, and what could not be held */
export function makeReport(report: Report): string {
  const { provider, began, ended, rows, unkept = [] } = report;
  const when = began.toISOString().slice(0, 16).replace('T', ' ');
  return `# The promises on a real cluster: ${provider}

Written by \`npm run e2e\`, begun ${when} UTC, ${minutes(ended.getTime() - began.getTime())}. Each promise is held while an open-loop load runs against the application;
a request fails when it gets no answer, an answer that is cut short or wrong, or a status that the test does not expect.

${summary(rows)}${unkept.length === 0 ? '' : `\n\n**Not kept in this run:**\n\n${list(unkept)}`}

${table(['promise', 'application', ':requests', ':failed', ':slowest', ':for', 'besides'], [...byFile(rows).map(line), total(rows)])}

## On what

${table(['part', 'version'], Object.entries(report.versions))}

## What is not held here

${list(NOT_HELD)}
`;
}

const NOT_HELD = [
  'A Service of type LoadBalancer: there is no cloud that gives an address. What is asked is the Service inside the cluster.',
  'HTTPRoute, Ingress and Certificate in action: their definitions are taken by the real schemas (e2e/cluster/foreign-apis.test.ts), no controller acts on them.',
  'A network that loses packets, and nodes of several machines: all nodes share one kernel.',
];

function summary(rows: readonly PromiseRow[]): string {
  const failed = sum(rows.map(failedOf));
  const promises = rows.length === 1 ? '1 promise' : `${rows.length} promises`;
  return `**${count(failed)} of ${count(sum(rows.map(({ requests }) => requests)))} requests failed, in ${promises}.**`;
}

/** Stable: within a file as they were held. */
function byFile(rows: readonly PromiseRow[]): PromiseRow[] {
  return rows.toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
}

function line(row: PromiseRow): string[] {
  const { file, promise, app, requests, slowestMs, seconds, note = '' } = row;
  const link = `[${promise.replaceAll(/[[\]]/g, '\\$&')}](../promises/${basename(file)})`;
  if (requests === 0) return [link, app, 'none', failures(row), '', '', note];
  return [link, app, count(requests), failures(row), milliseconds(slowestMs), `${seconds.toFixed(0)} s`, note];
}

function total(rows: readonly PromiseRow[]): string[] {
  const slowest = Math.max(0, ...rows.map(({ slowestMs }) => slowestMs));
  const requests = count(sum(rows.map((row) => row.requests)));
  return ['**all**', '', requests, `**${count(sum(rows.map(failedOf)))}**`, milliseconds(slowest), '', ''];
}

/** `0`, or how many of each kind, the most first. */
function failures(row: PromiseRow): string {
  const kinds = Object.entries(row.failures).filter(([, times]) => times > 0);
  if (kinds.length === 0) return '0';
  const words = kinds.sort((a, b) => b[1] - a[1]).map(([kind, times]) => `${count(times)} ${kind}`);
  return `**${count(failedOf(row))}**: ${words.join(', ')}`;
}

/** @param columns a name that begins with `:` is of numbers */
function table(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const head = columns.map((name) => name.replace(':', ''));
  const rule = columns.map((name) => (name.startsWith(':') ? '---:' : '---'));
  return [head, rule, ...lines].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
const count = (number: number): string => number.toLocaleString('en-US');
const milliseconds = (ms: number): string => `${count(Math.round(ms))} ms`;
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
