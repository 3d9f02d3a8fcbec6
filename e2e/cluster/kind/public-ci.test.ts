// The workflows of public CI, which never run on the machines that this is written on: read by actionlint, and held to the rules of this
// repository.
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import manifest from '../../../package.json' with { type: 'json' };
import { IMAGES, type ImageRecipe } from '../../../scripts/images/images.ts';
import { namesOf } from '../../../scripts/images/order.ts';
import { whyNoCluster } from '../build.ts';
import { skipWhatFollows } from '../fixture.ts';
import { MINORS } from './config.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const programs = fileURLToPath(new URL('../programs/', import.meta.url));
const workflows = globSync('.github/workflows/*.yml', { cwd: root }).sort();
const actions = globSync('.github/actions/*/action.yml', { cwd: root });

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Workflow {
  readonly permissions: unknown;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<
    Record<string, { 'timeout-minutes'?: number; steps: Step[]; strategy?: { matrix: Record<string, unknown> } }>
  >;
}

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const workflowOf = (file: string): Workflow => parse(textOf(file)) as Workflow;

test('there are workflows', () => {
  expect(workflows).toEqual(['.github/workflows/ci.yml', '.github/workflows/release.yml']);
});

describe('actionlint', () => {
  const missing = whyNoCluster();
  if (missing !== undefined) skipWhatFollows(missing);

  test('has nothing to say', () => {
    expect(lint(workflows.map((file) => join(root, file)))).toBe('');
  });

  test('would say it', () => {
    const wrong = textOf('.github/workflows/ci.yml').replace('${{ matrix.kubernetes }}', '${{ matrix.kubernets }}');
    expect(lint(['-'], wrong)).toContain('property "kubernets" is not defined');
  });
});

test.each([...workflows, ...actions])('%s uses the actions of others by commit, and says of which version', (file) => {
  const uses = textOf(file)
    .split('\n')
    .filter((line) => /^ *(- )?uses: /.test(line) && !line.includes('./.github/'));
  expect(uses.length).toBeGreaterThan(0);
  for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test.each(workflows)('%s may read and no more unless a job says so, and every job ends', (file) => {
  const { permissions, concurrency, jobs } = workflowOf(file);
  expect(permissions).toEqual({ contents: 'read' });
  expect(concurrency.group).toEqual(expect.any(String));
  for (const [name, job] of Object.entries(jobs)) {
    expect([name, job['timeout-minutes']]).toEqual([name, expect.any(Number)]);
  }
});

test('promises are held on every minor that there is a node image for', () => {
  expect(workflowOf('.github/workflows/ci.yml').jobs['e2e']?.strategy?.matrix['kubernetes']).toEqual(MINORS);
});

test('every script that is run is one of package.json', () => {
  const scripts = workflows.flatMap((file) => [...textOf(file).matchAll(/run: npm (?:run )?([\w:]+)/g)]);
  const names = scripts.map(([, name]) => name ?? '');
  expect(names).toEqual(expect.arrayContaining(['check', 'test', 'images', 'e2e']));
  expect(names.filter((name) => !(name in manifest.scripts))).toEqual([]);
});

test('a release names every image that scripts/images knows, and builds no other', () => {
  const text = textOf('.github/workflows/release.yml');
  const script = /--input-type=module -e '([^']*)'/.exec(text)?.[1] ?? '';
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  const recipes: readonly ImageRecipe[] = Object.values(IMAGES);
  expect(said.trim().split('\n')).toEqual(recipes.flatMap(namesOf));
  const built = [...text.matchAll(/--only ([\w-]+)/g)].map(([, name]) => name);
  expect(built).toEqual([...new Set(recipes.map(({ name }) => name.split(':')[0]))]);
});

test('the chart has the line that a release writes its registry into', () => {
  expect(textOf('charts/webapp-operator/values.yaml')).toMatch(/^ {2}imageRegistry: ""$/m);
});

/** @returns what it says. Without its own use of shellcheck and pyflakes, which are there on some machines and not on others */
function lint(files: readonly string[], input?: string): string {
  const args = ['-C', join(programs, 'actionlint'), 'tool', 'actionlint', '-shellcheck=', '-pyflakes=', '-no-color'];
  const { stdout, stderr } = spawnSync('go', [...args, ...files], {
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
    encoding: 'utf8',
    ...(input !== undefined && { input }),
  });
  return stdout + stderr.replaceAll(/^go: downloading .*\n/gm, '');
}
