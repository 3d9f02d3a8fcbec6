// The command as a person has it: built, installed as npm installs it, and found by the real kubectl as its plugin.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { RealCluster } from '../cluster/real-cluster.ts';
import type { Place } from './rig.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 120_000;

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that goes on. */
export interface Running {
  /** All that it wrote so far. */
  output(): string;
  /** As the terminal does on Ctrl-C. @returns exit code */
  interrupt(): Promise<number | null>;
}

export interface Terminal {
  /** `kubectl webapp …`. @param kubeconfig path; default: the administrator's */
  webApp(words: readonly string[], kubeconfig?: string): Promise<Said>;
  /** `kubectl …`, until it is interrupted or the test ends. */
  follow(words: readonly string[]): Running;
  /** The same in a terminal of its own. */
  watch(words: readonly string[]): Running;
}

/** For the top of a file. @returns the terminal, for tests and hooks */
export function useTerminal(): (cluster: RealCluster) => Terminal {
  const folder = mkdtempSync(join(tmpdir(), 'promises-terminal-'));
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: ROOT });
    symlinkSync(join(ROOT, 'dist/webapp.mjs'), join(folder, 'kubectl-webapp'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (cluster) => makeTerminal(cluster, folder);
}

function makeTerminal({ kubectlProgram: kubectl, kubeconfig }: RealCluster, folder: string): Terminal {
  const PATH = `${folder}${delimiter}${process.env['PATH']}`;
  const env = { ...process.env, PATH, KUBECONFIG: kubeconfig, TERM: 'xterm' };
  return {
    webApp: (words, other = kubeconfig) => said(kubectl, ['webapp', ...words], { ...env, KUBECONFIG: other }),
    follow: (words) => {
      const child = spawn(kubectl, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      return running(child, () => child.kill('SIGINT'));
    },
    watch: (words) => {
      // Without `exec` some shells stay between, and end by the signal themselves.
      const command = ['exec', kubectl, ...words].join(' ');
      const child = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: 'pipe' });
      // What is typed: the pseudoterminal makes a signal of it.
      return running(child, () => child.stdin.write('\x03'));
    },
  };
}

function said(program: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  return new Promise((resolve) => {
    execFile(program, words, { timeout: TIMEOUT_MS, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

function running(child: ChildProcess, interrupt: () => unknown): Running {
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const ended = new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    output: () => output,
    interrupt: () => {
      interrupt();
      return ended;
    },
  };
}

/** A kubeconfig of a service account that a role of Kubernetes is bound to in the namespace. @returns its path */
export async function kubeconfigOf(place: Place, role: 'view' | 'edit'): Promise<string> {
  const { cluster, namespace, kubectlOk } = place;
  await kubectlOk('create', 'serviceaccount', role);
  await kubectlOk('create', 'rolebinding', role, `--clusterrole=${role}`, `--serviceaccount=${namespace}:${role}`);
  const token = (await kubectlOk('create', 'token', role)).trim();
  const admin = await cluster.kubectlOk(['config', 'view', '--raw', '--minify', '-o', 'json']);
  const config = JSON.parse(admin) as { contexts: { context: object }[] };
  const contexts = config.contexts.map((one) => ({ ...one, context: { ...one.context, user: role } }));
  const folder = mkdtempSync(join(tmpdir(), 'promises-person-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'kubeconfig');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...config, contexts, users: [{ name: role, user: { token } }] }), {
    mode: 0o600,
  });
  return file;
}
