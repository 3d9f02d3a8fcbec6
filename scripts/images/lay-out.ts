// The last step of the Dockerfiles' build stage, run by the Node that the images have: lays dist/ and that Node out under a folder as the
// last stages copy them. Usage: node lay-out.ts FOLDER, in the folder that has dist/.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { withoutSymbols } from './without-symbols.ts';

const NODE = '/usr/local/bin/node';
const HOME = '/opt/webapp';

/** By `COPY --from=build /out/NAME/ /`. `node` is apart so that it is one layer, the same in all images. */
const PARTS: Readonly<Record<string, (folder: string) => void>> = {
  node: layOutNode,
  bare: layOutBareRoot,
  proxy: (folder) => layOutProgram(folder, 'webapp-proxy'),
  operator: layOutOperator,
  worker: layOutWorker,
};

const out = process.argv[2];
if (out === undefined) throw new Error('usage: node lay-out.ts FOLDER');
rmSync(out, { recursive: true, force: true });
for (const [name, layOut] of Object.entries(PARTS)) layOut(join(out, name));

function layOutNode(folder: string): void {
  write(folder, NODE, withoutSymbols(readFileSync(process.execPath)), 0o755);
}

/** All that Node needs of a system: its shared libraries, and how names are resolved. No shell, no package manager, nothing else. */
function layOutBareRoot(folder: string): void {
  for (const library of librariesOf(process.execPath)) copy(folder, library);
  // Without it glibc asks files and DNS, too; said so that a debugger need not know.
  write(folder, '/etc/nsswitch.conf', 'hosts: files dns\n');
  write(folder, '/etc/passwd', 'root:x:0:0:root:/:/\nnonroot:x:65532:65532:nonroot:/tmp:/\n');
  write(folder, '/etc/group', 'root:x:0:\nnonroot:x:65532:\n');
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
}

/** @returns absolute paths, the loader among them; ldd names it first on a line that has no arrow */
function librariesOf(program: string): string[] {
  const said = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...said.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(/gm)].flatMap(([, path]) => path ?? []);
}

/** On PATH without an ending; Node goes by the name that the link leads to. */
function layOutProgram(folder: string, name: string): void {
  layOutScripts(folder, name);
  mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
  symlinkSync(`${HOME}/${name}.mjs`, join(folder, 'usr/local/bin', name));
}

/** With the files of its live page. */
function layOutOperator(folder: string): void {
  layOutProgram(folder, 'webapp-operator');
  cpSync('dist/live', join(folder, HOME, 'live'), { recursive: true });
}

/** On PATH is the script of worker/docker, which starts it. */
function layOutWorker(folder: string): void {
  for (const name of ['webapp-worker', 'webapp-node-app']) layOutScripts(folder, name);
  cpSync('dist/python', join(folder, HOME, 'python'), { recursive: true });
}

/** With its parts `NAME.PART.mjs`, where it has some. */
function layOutScripts(folder: string, name: string): void {
  write(folder, `${HOME}/${name}.mjs`, startedByItself(name), 0o755);
  for (const file of readdirSync('dist').filter((entry) => entry.startsWith(`${name}.`) && entry !== `${name}.mjs`))
    write(folder, `${HOME}/${file}`, readFileSync(join('dist', file)));
}

/** The program with the interpreter's path in its first line: there is no env here. A kernel takes one argument there, with its spaces. */
function startedByItself(name: string): string {
  const source = readFileSync(`dist/${name}.mjs`, 'utf8');
  const [line, flag, ...more] = /^#!\/usr\/bin\/env -S node ?(\S*)(?: (.*))?\n/.exec(source) ?? [];
  if (line === undefined || more.some(Boolean))
    throw new Error(`dist/${name}.mjs begins with a line that is not "env -S node" and at most one flag`);
  return `#!${NODE} ${flag}\n${source.slice(line.length)}`;
}

function copy(folder: string, path: string): void {
  write(folder, path, readFileSync(realpathSync(path)), 0o755);
}

function write(folder: string, path: string, content: string | Buffer, mode = 0o644): void {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  chmodSync(target, mode);
}
