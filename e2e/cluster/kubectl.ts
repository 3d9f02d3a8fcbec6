// kubectl as a person has it, with a cache of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param options.input for `-f -`. @param options.as user to impersonate, such as `system:serviceaccount:shop:default` */
export type Kubectl = (
  args: readonly string[],
  options?: { readonly input?: string; readonly as?: string },
) => Promise<KubectlResult>;

const KUBECTL_TIMEOUT_MS = 60_000;
const KUBECTL_OUTPUT_BYTES = 64 * 2 ** 20;

export function makeKubectl(path: string, kubeconfig: string, folder: string): Kubectl {
  return (args, { input, as } = {}) =>
    new Promise((resolve, reject) => {
      const all = [
        ...(as === undefined ? [] : [`--as=${as}`]),
        `--cache-dir=${join(folder, 'kubectl-cache')}`,
        ...args,
      ];
      const child = execFile(
        path,
        all,
        {
          env: { ...process.env, KUBECONFIG: kubeconfig },
          timeout: KUBECTL_TIMEOUT_MS,
          maxBuffer: KUBECTL_OUTPUT_BYTES,
        },
        (error, stdout, stderr) => {
          if (error && typeof error.code !== 'number') reject(new Error(`kubectl ${args.join(' ')}: ${error.message}`));
          else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
        },
      );
      child.stdin?.on('error', () => {}); // it did not read to the end: its exit code says why
      child.stdin?.end(input ?? '');
    });
}
