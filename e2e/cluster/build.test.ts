// Building, with a Go that only pretends: who builds when, and what is left when it goes wrong.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { PROGRAMS } from './build.ts';
import { until } from './control-plane.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

test('two that want the programs at once build each of them once', async () => {
  const place = makePlace('sleep 0.3');
  const [one, two] = await Promise.all([run(place, 'build'), run(place, 'build')]);
  expect(one.code, one.text).toBe(0);
  expect(two.code, two.text).toBe(0);
  expect(builds(place)).toEqual([...PROGRAMS].sort());
  expect(entries(place).map((entry) => entry.replace(/-\w+-\w+$/, ''))).toEqual([...PROGRAMS].sort());
  expect((await run(place, 'build')).text).not.toContain('building');
});

test('a build that fails says why in the words of Go, and leaves nothing', async () => {
  const place = makePlace('echo "main.go:1: no such thing" >&2; exit 1');
  const { code, text } = await run(place, 'build');
  expect(code).toBe(1);
  expect(text).toContain('go build of kubernetes ended with 1:\nmain.go:1: no such thing');
  expect(entries(place).filter((name) => !name.includes('.partial-'))).toEqual([]);
});

test('a build that was killed is begun anew by the next', async () => {
  const place = makePlace('[ -e "$HOME/fast" ] || exec sleep 600');
  const killed = start(place, 'build');
  await until('a build under way', () => builds(place).length > 0);
  killed.kill('SIGKILL');
  writeFileSync(join(place.home, 'fast'), '');
  const { code, text } = await run(place, 'build');
  expect(code, text).toBe(0);
  expect(entries(place).filter((name) => name.includes('.'))).toEqual([]);
});

test('without Go, what was built earlier does; with nothing built, the reason is told', async () => {
  const place = makePlace('');
  const hide = (): void => writeFileSync(join(place.home, 'hidden'), '');
  hide();
  const refused = await run(place, 'build');
  expect(refused.code).toBe(1);
  expect(refused.text).toContain('Go is not installed, and no control plane built earlier is in the cache: install Go');
  expect((await run(place, 'up', '--provider', 'native')).text).toContain('Go is not installed');
  rmSync(join(place.home, 'hidden'));
  await run(place, 'build');
  hide();
  expect((await run(place, 'build')).code).toBe(0);
});

interface Place {
  readonly home: string;
  readonly path: string;
}

/** @param script what `go build` does before it writes its output */
function makePlace(script: string): Place {
  const home = mkdtempSync(join(tmpdir(), 'build-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const kind of ['node', 'pod']) mkdirSync(join(home, 'kustomize', 'stage', kind), { recursive: true });
  const go = `#!/bin/sh
[ -e "$HOME/hidden" ] && exit 127
case $1 in
version) echo go version go1.99 test/test ;;
list) echo "$HOME" ;;
build)
  while [ "$1" != -o ]; do shift; done
  basename "$2" >>"$HOME/builds"
  ${script}
  echo program >"$2" ;;
esac
`;
  writeFileSync(join(home, 'go'), go);
  chmodSync(join(home, 'go'), 0o755);
  return { home, path: `${home}:${process.env['PATH']}` };
}

function start({ home, path }: Place, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [`${here}main.ts`, ...args], {
    env: { ...process.env, PATH: path, HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function run(place: Place, ...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = start(place, ...args);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}

/** What `go build` was asked for, in order of names. */
function builds({ home }: Place): string[] {
  const file = join(home, 'builds');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').sort() : [];
}

function entries({ home }: Place): string[] {
  const folder = join(home, 'cache', 'webapp-operator', 'cluster');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
