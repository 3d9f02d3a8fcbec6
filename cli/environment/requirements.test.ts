import { expect, test } from 'vitest';
import { projectDependencies, requirementsIn } from './requirements.ts';

const files =
  (texts: Record<string, string>) =>
  (path: string): string | undefined =>
    texts[path];

test('requirements.txt of the nearest folder', () => {
  const read = files({ '/a/requirements.txt': 'flask', '/b/requirements.txt': 'django' });
  expect(requirementsIn(['/b', '/a'], read)).toMatchObject({
    folder: '/b',
    installArguments: ['-r', 'requirements.txt'],
  });
  expect(requirementsIn(['/c'], read)).toBeUndefined();
});

test.each([
  ['-r base.txt', 'base.txt'],
  ['--requirement=base.txt', 'base.txt'],
  ['-c base.txt', 'base.txt'],
  ['-r sub/base.txt', 'sub/base.txt'],
])('a change of an included file is a change: %s', (line, file) => {
  const hash = (text: string) =>
    requirementsIn(['/a'], files({ '/a/requirements.txt': `${line}\nflask`, [`/a/${file}`]: text }))?.hash;
  expect(hash('x==1')).toBe(hash('x==1'));
  expect(hash('x==1')).not.toBe(hash('x==2'));
});

test('files that include each other end', () => {
  const read = files({ '/a/requirements.txt': '-r b.txt', '/a/b.txt': '-r requirements.txt' });
  expect(requirementsIn(['/a'], read)).toBeDefined();
});

test.each<[string, string, string[]]>([
  [
    'a list',
    '[project]\nname = "x"\ndependencies = [\n  "flask>=3",  # web\n  \'uvicorn[standard]\',\n]\n[tool.x]\n',
    ['flask>=3', 'uvicorn[standard]'],
  ],
  ['on one line, at the end', '[project]\ndependencies = ["flask"]', ['flask']],
  ['a comment with a bracket and a quote', '[project]\ndependencies = [\n # not "a" ]\n "b",\n]', ['b']],
  ['another table', '[project]\nname="x"\n[other]\ndependencies = ["flask"]\n', []],
  ['a file without one', 'x = 1', []],
  ['an option is no dependency', '[project]\ndependencies = ["--index-url=http://x"]', []],
])('dependencies of pyproject.toml: %s', (_, toml, wanted) => {
  expect(projectDependencies(toml)).toEqual(wanted);
});

test('hostile toml ends', () => {
  expect(projectDependencies(`[project]\ndependencies = [${'"a",'.repeat(20_000)}`)).toEqual([]);
  expect(projectDependencies(`[project]\ndependencies = [${'#'.repeat(50_000)}`)).toEqual([]);
});
