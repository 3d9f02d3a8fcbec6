import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { check } from './check.ts';
import { Failure } from './failure.ts';
import { formatFileProblem, loadManifests, manifestsBelow, manifestsIn, missingSources } from './manifest.ts';
import { locate } from './origin.ts';
import { render } from './render.ts';

const manifest = (name: string, more = ''): string =>
  `apiVersion: webapp-operator.io/v1alpha1\nkind: WebApp\nmetadata:\n  name: ${name}\n${more}spec:\n  image: x\n  app: shop:app\n`;
const source = (folder: string): string => `  annotations:\n    webapp-operator.io/source: ${folder}\n`;

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'manifest-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('no failure');
}

test('the manifests of a folder, webapp.yaml first', () => {
  const folder = folderOf({
    'a.webapp.yaml': '',
    'webapp.yml': '',
    'other.yaml': '',
    'webapp.yaml.bak': '',
    'x/webapp.yaml': '',
  });
  expect(manifestsIn(folder)).toEqual([join(folder, 'webapp.yml'), join(folder, 'a.webapp.yaml')]);
  expect(manifestsBelow(folder)).toEqual([join(folder, 'x/webapp.yaml')]);
});

test('the source is relative to the manifest', () => {
  const folder = folderOf({ 'webapp.yaml': `${manifest('a', source('app'))}---\n${manifest('b')}`, 'app/x': '' });
  const { webApps, problems } = loadManifests([join(folder, 'webapp.yaml')]);
  expect(problems).toEqual([]);
  expect(webApps.map((one) => one.source)).toEqual([join(folder, 'app'), folder]);
  expect(missingSources(webApps)).toEqual([]);
});

test('a source that is not there is a problem', () => {
  const folder = folderOf({ 'webapp.yaml': manifest('a', source('gone')) });
  const problems = missingSources(loadManifests([join(folder, 'webapp.yaml')]).webApps);
  expect(problems.map((problem) => formatFileProblem(problem, folder))).toEqual([
    `webapp.yaml: metadata.annotations["webapp-operator.io/source"] is gone: there is no folder ${folder}/gone\n    → write the folder of the application, relative to the manifest`,
  ]);
});

test('all problems of all files, with file and line', () => {
  const folder = folderOf({
    'webapp.yaml': manifest('Shop'),
    'a.webapp.yaml': `${manifest('a')}  workers: {processes: 0}\n`,
    'b.webapp.yaml': 'a: [',
  });
  const { text, exitCode } = check([], 'text', folder);
  expect(exitCode).toBe(1);
  expect(text).toContain('webapp.yaml:4: metadata.name is "Shop"');
  expect(text).toContain(
    'a.webapp.yaml:8: spec.workers.processes is 0: must be at least 1\n    → write a number from 1 to 256, or auto',
  );
  expect(text).toContain('b.webapp.yaml:1: not valid YAML');
  expect(text).toContain('3 problems');
});

test('a name that stands in two files is a problem', () => {
  const folder = folderOf({ 'webapp.yaml': manifest('shop'), 'b.webapp.yaml': manifest('shop') });
  expect(check([], 'text', folder)).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining('a WebApp of this name'),
  });
});

test('check as JSON', () => {
  const folder = folderOf({ 'webapp.yaml': manifest('shop') });
  expect(JSON.parse(check(['webapp.yaml'], 'json', folder).text)).toEqual({
    valid: true,
    webApps: [{ name: 'shop', file: 'webapp.yaml' }],
    problems: [],
  });
  expect(JSON.parse(check(['gone.yaml'], 'json', folder).text)).toMatchObject({
    valid: false,
    problems: [{ field: '(file)', message: 'is not there', file: 'gone.yaml' }],
  });
});

test('nothing to check', () => {
  expect(failureOf(() => check([], 'text', folderOf({}))).code).toBe('FILE_MISSING');
});

test('render shows both documents of each WebApp', () => {
  const folder = folderOf({ 'webapp.yaml': `${manifest('a')}---\n${manifest('b', source('app'))}` });
  const documents = JSON.parse(render([], 'json', folder)) as { name: string; worker: object; proxy: object }[];
  expect(documents).toMatchObject([
    { name: 'a', worker: { kind: 'WorkerConfig', app: 'shop:app' }, proxy: { kind: 'ProxyConfig' } },
    { name: 'b' },
  ]);
  expect(render([], 'yaml', folder)).toContain('# a: worker.json\nkind: WorkerConfig\n');
  expect(render([], 'yaml', folder)).toContain('is a placeholder');
  expect(failureOf(() => render(['gone.yaml'], 'yaml', folder))).toMatchObject({
    code: 'MANIFEST_INVALID',
    detail: expect.stringContaining('gone.yaml: is not there'),
  });
});

test('where the WebApps come from', () => {
  const app = 'from flask import Flask\nshop = Flask(__name__)\n';
  const folder = folderOf({
    'all/webapp.yaml': manifest('all'),
    'found/app.py': app,
    'found/server.js': 'export default () => {}',
    'below/x/webapp.yaml': manifest('x'),
    'below/y/webapp.yaml': manifest('y'),
    'empty/x': '',
  });
  const names = (place?: string, named?: string, cwd = folder): string[] =>
    locate(place, named, cwd, {})
      .load()
      .webApps.map(({ webApp }) => `${webApp.metadata.name} ${webApp.spec.app}`);
  expect(names('all')).toEqual(['all shop:app']);
  expect(names('all/webapp.yaml')).toEqual(['all shop:app']);
  expect(names(undefined, undefined, join(folder, 'all'))).toEqual(['all shop:app']);
  expect(names('found')).toEqual(['found app:shop']);
  expect(names('found/app.py')).toEqual(['found app:shop']);
  expect(names('found/server.js')).toEqual(['found server.js']);
  expect(names('found', 'server.js')).toEqual(['found server.js']);
  expect(names('app:shop', undefined, join(folder, 'found'))).toEqual(['found app:shop']);
  expect(names('found', 'other:thing')).toEqual(['found other:thing']);
  expect(names('below')).toEqual(['x shop:app', 'y shop:app']);
  for (const place of ['gone', 'gone.yaml', 'empty/x']) {
    expect(failureOf(() => locate(place, undefined, folder, {})).code).toBe('FILE_MISSING');
  }
  expect(failureOf(() => locate('empty', undefined, folder, {}))).toMatchObject({
    code: 'NO_APPLICATION',
    message: expect.stringContaining('no application was found in empty'),
  });
});
