// Helm as a person has it, with a home of its own, and the chart of this repository: for tests on either kind of cluster.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../cluster/build.ts';

export interface HelmResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Laid over the chart's own. */
export type Values = Readonly<Record<string, unknown>>;

export interface Helm {
  /** @returns whatever it said, failures included */
  run(args: readonly string[], values?: Values): Promise<HelmResult>;
  /** @returns stdout. @throws Error with all that it said when it fails */
  ok(args: readonly string[], values?: Values): Promise<string>;
  /**
   * `helm package` of the chart under another version, for an upgrade to have something to begin from.
   * @param change of a copy of the chart, whose folder it is given
   * @returns path of the archive
   */
  packageAs(version: string, change?: (chart: string) => void): Promise<string>;
}

export const CHART = fileURLToPath(new URL('../../charts/webapp-operator', import.meta.url));

/** Above the 5 minutes that Helm itself waits at most, unless it is told otherwise. */
const TIMEOUT_MS = 6 * 60_000;
const OUTPUT_BYTES = 64 * 2 ** 20;

/** Builds Helm when it is not built yet. @param kubeconfig path. @param folder of the caller's, who removes it: Helm's caches, packages */
export async function makeHelm(kubeconfig: string, folder: string): Promise<Helm> {
  const program = join(await buildProgram('helm'), 'helm');
  const home = join(folder, 'helm');
  mkdirSync(home, { recursive: true });
  const run: Helm['run'] = (args, values) => runHelm(program, kubeconfig, home, args, values);
  const ok: Helm['ok'] = async (args, values) => {
    const { code, stdout, stderr } = await run(args, values);
    if (code !== 0) throw new Error(`helm ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  return { run, ok, packageAs: (version, change) => packageAs(ok, home, version, change) };
}

/** The log of Helm's client library, which tells there of watches that Helm itself has ended. */
const KLOG_LINES = /^[IWEF]\d{4} \d\d:\d\d:.*\n/gm;

function runHelm(
  program: string,
  kubeconfig: string,
  home: string,
  args: readonly string[],
  values?: Values,
): Promise<HelmResult> {
  const all = [...args, ...(values ? ['--values', '-'] : [])];
  // Discovery is cached by address under HOME: another cluster had the same port a moment ago.
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home };
  return new Promise((resolve, reject) => {
    const options = { env, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES };
    const child = execFile(program, all, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(new Error(`helm ${args.join(' ')}: ${error.message}`));
      else resolve({ code: error ? Number(error.code) : 0, stdout, stderr: stderr.replace(KLOG_LINES, '') });
    });
    child.stdin?.on('error', () => {}); // it did not read to the end: its exit code says why
    child.stdin?.end(values ? JSON.stringify(values) : '');
  });
}

async function packageAs(
  ok: Helm['ok'],
  home: string,
  version: string,
  change: (chart: string) => void = () => {},
): Promise<string> {
  const copy = join(home, `chart-${version}`);
  cpSync(CHART, copy, { recursive: true });
  change(copy);
  await ok(['package', copy, '--version', version, '--app-version', version, '--destination', home]);
  rmSync(copy, { recursive: true });
  return join(home, `webapp-operator-${version}.tgz`);
}
