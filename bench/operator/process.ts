// The operator as it is shipped, as a process: started, asked for its metrics, stopped.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Cluster } from '../../e2e/cluster/control-plane.ts';

export interface OperatorProcess {
  readonly pid: number;
  /** Sum of the samples of one metric. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Resolves when its caches are complete and it reconciles. @param program path of webapp-operator.mjs, run as it is */
export async function startOperator(
  program: string,
  cluster: Cluster,
  flags: readonly string[],
): Promise<OperatorProcess> {
  const child = spawn(program, ['run', '--kubeconfig', cluster.kubeconfig, '--admin', '127.0.0.1:0', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const admin = await readAdmin(child.stderr, ended);
  return {
    pid: child.pid ?? 0,
    metric: async (name) => {
      const text = await (await fetch(`http://${admin}/metrics`)).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Goes on reading: a full pipe would stop the operator. */
function readAdmin(stderr: NodeJS.ReadableStream, ended: Promise<number | null>): Promise<string> {
  return new Promise((resolve, reject) => {
    let admin = '';
    createInterface({ input: stderr }).on('line', (line) => {
      if (!line.startsWith('{')) return console.error(line);
      const { level, msg, admin: address } = JSON.parse(line) as { level: string; msg: string; admin?: string };
      if (level === 'error' || level === 'warn') console.error(line);
      if (msg === 'listening') admin = address ?? '';
      if (msg === 'reconciling') resolve(admin);
    });
    void ended.then((code) => reject(new Error(`the operator ended with ${code}`)));
  });
}
