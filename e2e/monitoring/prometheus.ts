// Debian's Prometheus as a child process: scrapes what it is given every second, keeps its data in a folder that goes with it, and is asked what people would ask.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { RuleGroup } from '../../monitoring/rules/rule.ts';
import { freePorts } from '../cluster/ports.ts';

export interface Target {
  readonly job: string;
  /** As relabelling would set them in a cluster. */
  readonly labels: Readonly<Record<string, string>>;
  /** @param accept what Prometheus wants. @returns what the program tells. @throws when it does not answer */
  metrics(accept: string): Promise<{ readonly text: string; readonly type: string }>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Prometheus {
  /** Of numbers only: NaN is no answer. @throws Error in Prometheus' words when it does not take the expression */
  query(expression: string): Promise<Sample[]>;
  firing(): Promise<FiringAlert[]>;
  /** Rules whose last evaluation failed, and why. */
  failedRules(): Promise<string[]>;
  stop(): Promise<void>;
}

const READY_MS = 60_000;

export async function startPrometheus(targets: readonly Target[], groups: readonly RuleGroup[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const relay = await startRelay(targets);
  const [port = 0] = await freePorts(1);
  writeFileSync(join(folder, 'rules.yaml'), stringify({ groups }));
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(configuration(targets, relay)));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-10_000)));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      said = `prometheus (Debian: prometheus): ${error.message}`;
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    relay.close();
    relay.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(url, child, () => said);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...speakTo(`${url}/api/v1`), stop };
}

function configuration(targets: readonly Target[], relay: Server): object {
  const address = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: targets.map(({ job, labels }, i) => ({
      job_name: `${i} ${job}`,
      metrics_path: `/${i}`,
      relabel_configs: [{ target_label: 'job', replacement: job }],
      static_configs: [{ targets: [address], labels: { ...labels, instance: `${job}-${i}` } }],
    })),
  };
}

/** Admin ports on a laptop are Unix sockets, which Prometheus does not speak. */
function startRelay(targets: readonly Target[]): Promise<Server> {
  const server = createServer((request, response) => {
    const target = targets[Number(request.url?.slice(1))];
    const metrics =
      target?.metrics(String(request.headers.accept ?? '')) ?? Promise.reject(new Error('no such target'));
    metrics.then(
      ({ text, type }) => response.writeHead(200, { 'content-type': type }).end(text),
      () => response.writeHead(503).end(),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function untilReady(url: string, child: ChildProcess, said: () => string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await fetch(`${url}/-/ready`).catch(() => null))?.ok) {
    if (child.exitCode !== null || child.pid === undefined || performance.now() > deadline)
      throw new Error(`Prometheus is not ready: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Answer<T> {
  readonly status: string;
  readonly error?: string;
  readonly data: T;
}

function speakTo(root: string): Omit<Prometheus, 'stop'> {
  const ask = async <T>(path: string): Promise<T> => {
    const { status, error, data } = (await (await fetch(`${root}/${path}`)).json()) as Answer<T>;
    if (status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${error}`);
    return data;
  };
  return {
    query: async (expression) => {
      const path = `query?query=${encodeURIComponent(expression)}`;
      const { result } = await ask<{ result: { metric: Sample['metric']; value: [number, string] }[] }>(path);
      return result
        .map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }))
        .filter(({ value }) => !Number.isNaN(value));
    },
    firing: async () => {
      const { alerts } = await ask<{ alerts: (FiringAlert & { state: string })[] }>('alerts');
      return alerts.filter(({ state }) => state === 'firing');
    },
    failedRules: async () => {
      const { groups } = await ask<{ groups: { rules: { name: string; lastError?: string }[] }[] }>('rules');
      return groups.flatMap(({ rules }) =>
        rules.flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : [])),
      );
    },
  };
}
