// The table of promises, and the rows that it is made from.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeReport, writeReport } from './report.ts';
import { appendRow, type PromiseRow, parseRows, readRows } from './rows.ts';

const row = (more: Partial<PromiseRow> = {}): PromiseRow => ({
  file: 'e2e/promises/resize.test.ts',
  promise: 'processes 3 → 8 → 2',
  app: 'flask-shop',
  requests: 12345,
  failures: {},
  slowestMs: 81.4,
  seconds: 12.3,
  ...more,
});

const report = (rows: readonly PromiseRow[]): string =>
  makeReport({
    provider: 'native',
    versions: { kubernetes: 'v1.36.3', etcd: '3.6.16' },
    rows,
    began: new Date('2026-11-22T23:10:05Z'),
    ended: new Date('2026-11-22T23:22:08Z'),
  });

const lineOf = (text: string, part: string): string | undefined => text.split('\n').find((line) => line.includes(part));

test('says when, how long and on what', () => {
  const text = report([row()]);
  expect(text).toContain('begun 2026-11-22 23:10 UTC, 12 min 3 s.');
  expect(text).toContain('| kubernetes | v1.36.3 |\n| etcd | 3.6.16 |');
});

test('a promise is a line with its numbers, linked to its test', () => {
  expect(lineOf(report([row({ note: 'live after 1.2 s' })]), 'resize')).toBe(
    '| [processes 3 → 8 → 2](../promises/resize.test.ts) | flask-shop | 12,345 | 0 | 81 ms | 12 s | live after 1.2 s |',
  );
});

test('failures are told by kind, the most first; kinds that did not happen are not', () => {
  const text = report([row({ failures: { 'status 502': 1, refused: 0, 'cut short': 1200 } })]);
  expect(lineOf(text, 'resize')).toContain('| **1,201**: 1,200 cut short, 1 status 502 |');
});

test('the total is of all: requests and failures summed, the slowest of all', () => {
  const text = report([row(), row({ requests: 5, failures: { refused: 2 }, slowestMs: 2001 }), row({ requests: 0 })]);
  expect(lineOf(text, '**all**')).toBe('| **all** |  | 12,350 | **2** | 2,001 ms |  |  |');
  expect(text).toContain('**2 of 12,350 requests failed, in 3 promises.**');
});

test('a promise without requests does not look as if some had been answered', () => {
  expect(lineOf(report([row({ requests: 0, slowestMs: 0, seconds: 0 })]), 'resize')).toContain('| none | 0 |  |  |');
});

test('lines stand in the order of files, and within a file as they were held', () => {
  const text = report([
    row({ file: 'b.test.ts', promise: 'second' }),
    row({ file: 'a.test.ts', promise: 'first' }),
    row({ file: 'b.test.ts', promise: 'a third' }),
  ]);
  expect(text.match(/\[(first|second|a third)\]/g)).toEqual(['[first]', '[second]', '[a third]']);
});

test('what would break the table does not', () => {
  const text = report([row({ promise: 'a | b [c]', note: 'one\n  two' })]);
  expect(lineOf(text, 'one')).toContain('| [a \\| b \\[c\\]](../promises/resize.test.ts) |');
  expect(lineOf(text, 'one')).toContain('| one two |');
});

test('what cannot be held is said', () => {
  const about = { provider: 'native', versions: {}, rows: [], began: new Date(0), ended: new Date(0) } as const;
  expect(makeReport(about)).toContain('LoadBalancer');
});

test('promises that were not kept stand before the table; of a run that kept all nothing is said', () => {
  const about = { provider: 'native', versions: {}, rows: [row()], began: new Date(0), ended: new Date(0) } as const;
  const text = makeReport({ ...about, unkept: ['a.test.ts > a node is drained'] });
  expect(text).toContain(
    'in 1 promise.**\n\n**Not kept in this run:**\n\n- a.test.ts > a node is drained\n\n| promise |',
  );
  expect(makeReport(about)).not.toContain('Not kept');
});

test('rows come back as they were noted', () => {
  const path = join(makeFolder(), 'promises.jsonl');
  expect(readRows(path)).toEqual([]);
  const rows = [row(), row({ note: 'n', failures: { refused: 1 } })];
  for (const one of rows) appendRow(path, one);
  expect(readRows(path)).toEqual(rows);
});

test.each([
  ['{"file":"a"', 'line 2 of the rows is none: Expected'],
  ['{"file":"a"}', 'line 2 of the rows is none: ✖ Invalid input: expected string, received undefined\n  → at promise'],
  [JSON.stringify({ ...row(), requests: -1 }), '→ at requests'],
])('%s is refused', (line, reason) => {
  expect(() => parseRows(`${JSON.stringify(row())}\n${line}\n`)).toThrow(reason);
});

test('the file is replaced whole, in a folder that is made', () => {
  const folder = join(makeFolder(), 'results');
  const path = join(folder, 'native.md');
  const about = { provider: 'native', versions: {}, began: new Date(), path } as const;
  writeReport({ ...about, rows: [row(), row()] });
  writeReport({ ...about, rows: [row()] });
  expect(readFileSync(path, 'utf8')).toContain('in 1 promise.');
  expect(readdirSync(folder)).toEqual(['native.md']);
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
