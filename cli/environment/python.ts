// The Python environment of an application: looked at, decided (python-plan.ts), made where it is missing. Used by `webapp up`.
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure } from '../failure.ts';
import { type Installer, lastLines } from './installer.ts';
import { type PythonFacts, type PythonPlan, planPython, type Stamp } from './python-plan.ts';
import { requirementsIn } from './requirements.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const STAMP = 'made-by-webapp.json';

/**
 * @param folders where requirements and environments are looked for, the nearest to the application first
 * @returns variables for the worker: WEBAPP_PYTHON, and what activating the environment would set
 * @throws Failure NO_PYTHON | INSTALL_FAILED | INTERRUPTED
 */
export async function providePython(
  folders: readonly string[],
  shell: Variables,
  installer: Installer,
): Promise<Record<string, string>> {
  await othersAreDone(folders, installer);
  const plan = planPython(await lookAt(folders, shell));
  if (plan.kind === 'trouble') throw new Failure('NO_PYTHON', plan.message, plan.mend);
  if (plan.kind === 'use') return activated(plan.python, plan.environment, shell);
  await install(plan, installer);
  return activated(join(plan.environment, 'bin', 'python'), plan.environment, shell);
}

async function lookAt(folders: readonly string[], shell: Variables): Promise<PythonFacts> {
  const active = activeEnvironment(shell);
  const beside = environmentBeside(folders);
  const requirements = requirementsIn(folders);
  const settled = active?.python !== undefined || (beside?.python !== undefined && beside.stamp?.state !== 'making');
  const onPath = settled ? undefined : await pythonOnPath(shell);
  return {
    ...(active && { active }),
    ...(beside && { beside }),
    ...(requirements && { requirements }),
    ...(onPath && { onPath }),
  };
}

/** Conda's `base` is active in every shell of its users: it says nothing about this application. */
function activeEnvironment(shell: Variables): PythonFacts['active'] {
  const variable = shell['VIRTUAL_ENV']
    ? 'VIRTUAL_ENV'
    : shell['CONDA_PREFIX'] && shell['CONDA_DEFAULT_ENV'] !== 'base'
      ? 'CONDA_PREFIX'
      : undefined;
  const path = variable && shell[variable];
  if (!variable || !path) return undefined;
  return { variable, path, ...pythonIn(path) };
}

function environmentBeside(folders: readonly string[]): PythonFacts['beside'] {
  for (const path of folders.flatMap((folder) => [join(folder, '.venv'), join(folder, 'venv')])) {
    const stamp = readStamp(path);
    if (stamp || existsSync(join(path, 'pyvenv.cfg'))) return { path, ...pythonIn(path), ...(stamp && { stamp }) };
  }
  return undefined;
}

function pythonIn(environment: string): { python?: string } {
  const python = join(environment, 'bin', 'python');
  try {
    accessSync(python, constants.X_OK); // follows the link: a Python that was removed since is not there
    return { python };
  } catch {
    return {};
  }
}

/** Asks the interpreter itself: `python3` may be a shim, or be missing behind one. */
async function pythonOnPath(shell: Variables): Promise<PythonFacts['onPath']> {
  const script = 'import sys, json; print(json.dumps([sys.executable, *sys.version_info[:2]]))';
  for (const command of ['python3', 'python']) {
    try {
      const { stdout } = await promisify(execFile)(command, ['-c', script], { env: { ...shell }, timeout: 20_000 });
      const [python, major, minor] = JSON.parse(stdout) as [string, number, number];
      return { python, version: [major, minor] };
    } catch {
      // not there, or a shim without a Python behind it: the next name
    }
  }
  return undefined;
}

/** Two `webapp up` of one folder: the second waits for what the first makes. */
async function othersAreDone(folders: readonly string[], installer: Installer): Promise<void> {
  const maker = (): number | undefined => {
    const stamp = environmentBeside(folders)?.stamp;
    return stamp?.state === 'making' && stamp.pid !== process.pid && isAlive(stamp.pid) ? stamp.pid : undefined;
  };
  const pid = maker();
  if (pid === undefined) return;
  await installer.during(`waiting for process ${pid}, which makes the virtual environment`, async () => {
    while (maker() === pid) {
      await pause(200, undefined, { signal: installer.interrupted }).catch(() => {
        throw new Failure('INTERRUPTED', 'stopped while another installs');
      });
    }
  });
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false; // 0 would be our own group
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

type InstallPlan = Extract<PythonPlan, { kind: 'install' }>;

/** The stamp says `making` until all is there, so that whatever interrupts this, the next run begins anew. */
async function install(plan: InstallPlan, installer: Installer): Promise<void> {
  const { environment, requirements, makeWith } = plan;
  const shown = environment.slice(environment.lastIndexOf('/') + 1);
  await installer.during(`${makeWith ? 'making' : 'updating'} ${shown}, once: ${plan.why}`, async (step) => {
    if (makeWith) {
      rmSync(environment, { recursive: true, force: true });
      mkdirSync(environment);
      writeStamp(environment, { state: 'making', hash: '', pid: process.pid });
      const made = await step(makeWith, ['-m', 'venv', environment], requirements.folder);
      if (made.code !== 0) throw venvFailure(made.output);
    } else {
      writeStamp(environment, { state: 'making', hash: '', pid: process.pid });
    }
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];
    const python = join(environment, 'bin', 'python');
    const installed = await step(python, [...pip, ...requirements.installArguments], requirements.folder);
    if (installed.code !== 0) throw pipFailure(requirements.file, installed.output);
    writeStamp(environment, { state: 'ready', hash: requirements.hash, pid: process.pid });
  });
}

function venvFailure(output: string): Failure {
  if (/ensurepip is not available|No module named '?(venv|ensurepip)/.test(output)) {
    const mend = 'install it (Debian, Ubuntu: apt install python3-venv), or activate an environment of your own';
    return new Failure('INSTALL_FAILED', 'this Python cannot make virtual environments', mend);
  }
  const mend = 'make the environment yourself and activate it';
  return new Failure('INSTALL_FAILED', 'the virtual environment could not be made', mend, lastLines(output));
}

function pipFailure(file: string, output: string): Failure {
  const missing = /No matching distribution found for ([^\s(]+)/.exec(output)?.[1];
  const mend = missing
    ? `look at ${missing} in ${file}: the name or the version is not to be had`
    : `mend ${file}, or install it yourself in an environment and activate that`;
  return new Failure('INSTALL_FAILED', `the packages of ${file} could not be installed`, mend, lastLines(output));
}

function readStamp(environment: string): Stamp | undefined {
  try {
    const { state, hash, pid } = JSON.parse(readFileSync(join(environment, STAMP), 'utf8')) as Partial<Stamp>;
    return { state: state === 'ready' ? 'ready' : 'making', hash: String(hash), pid: Number(pid) || 0 };
  } catch (error) {
    // A stamp that is there and cannot be read was cut short.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR'
      ? undefined
      : { state: 'making', hash: '', pid: 0 };
  }
}

function writeStamp(environment: string, stamp: Stamp): void {
  const path = join(environment, STAMP);
  writeFileSync(`${path}.new`, `${JSON.stringify(stamp)}\n`);
  renameSync(`${path}.new`, path);
}

function activated(python: string, environment: string | undefined, shell: Variables): Record<string, string> {
  if (environment === undefined) return { WEBAPP_PYTHON: python };
  const path = [join(environment, 'bin'), shell['PATH']].filter(Boolean).join(delimiter);
  return { WEBAPP_PYTHON: python, VIRTUAL_ENV: environment, PATH: path };
}
