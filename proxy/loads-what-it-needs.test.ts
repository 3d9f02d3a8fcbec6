// What the program loads before it is asked for anything, and what it never loads: read from its imports.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Of the statement, what stands before `from`, and the specifier. Types are erased, so they load nothing. */
const STATIC = /(?:^|\n)(?:import|export)\s+(?!type\b)(?:([^'";]*?)\sfrom\s+)?'([^']+)'/g;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

const onlyTypes = (clause: string | undefined): boolean =>
  clause !== undefined &&
  /^\{[^}]*\}$/.test(clause) &&
  clause
    .slice(1, -1)
    .split(',')
    .every((name) => name.trim() === '' || name.trim().startsWith('type '));

function importsOf(file: string, withDynamic: boolean): string[] {
  const source = readFileSync(file, 'utf8');
  const found = [...source.matchAll(STATIC)].filter(([, clause]) => !onlyTypes(clause)).map((match) => match[2] ?? '');
  return withDynamic ? [...found, ...[...source.matchAll(DYNAMIC)].map((match) => match[1] ?? '')] : found;
}

/** @returns files of ours by path from the root, packages by name */
function reach(entry: string, withDynamic: boolean): Set<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    if (!path.endsWith('.ts')) return;
    for (const specifier of importsOf(join(ROOT, path), withDynamic))
      visit(specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), specifier)) : specifier);
  };
  visit(entry);
  return seen;
}

const ofKube = (files: Set<string>): string[] => [...files].filter((file) => file.startsWith('kube/'));

test('a master loads nothing that serves requests, and no package', () => {
  const files = [...reach('proxy/main.ts', false)];
  expect(files).toContain('proxy/master.ts');
  expect(files).not.toContain('proxy/program.ts');
  const heavy = /^node:(http|https|http2|tls|crypto|zlib)$/;
  expect(
    files.filter((file) => heavy.test(file) || !/^(node:|core\/|http\/|proxy\/|package\.json)/.test(file)),
  ).toEqual([]);
});

test('without discovery nothing of kube/ is loaded', () => {
  const files = reach('proxy/program.ts', false);
  expect(files).toContain('proxy/upstream/discovery/discovery.ts');
  expect(ofKube(files)).toEqual([]);
});

const ofOpenTelemetry = (files: Set<string>): string[] => [...files].filter((file) => /opentelemetry|otlp/.test(file));

test.each(['proxy/program.ts', 'worker/program.ts'])(
  '%s: what exports traces is loaded when there is a collector',
  (program) => {
    const files = reach(program, false);
    expect(files).toContain('tracing/tracer.ts');
    expect(ofOpenTelemetry(files)).toEqual([]);
    expect(ofOpenTelemetry(reach(program, true))).toContain('@opentelemetry/exporter-trace-otlp-http');
  },
);

test('with discovery the light way is loaded, and the big client never', () => {
  const files = reach('proxy/main.ts', true);
  expect(ofKube(files)).toContain('kube/reflector.ts');
  expect(files).not.toContain('kube/access/kubeconfig.ts');
  expect(files).not.toContain('@kubernetes/client-node');
});
