// A `webapp up` of an application that has every kind of trouble (app/faulty.py), scraped by a real Prometheus with the rules that are shipped; only their windows and
// waits are shorter.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Stack, startNamedStack } from '../laptop/stack.ts';
import { type Prometheus, startPrometheus, type Target } from './prometheus.ts';
import { shortenedRules, untilAllAnswered } from './shortened.ts';

/** One of its own: `webapp status` is to find it, whatever else runs on this machine. */
export const NAME = `faulty-${process.pid}`;
export const OF_APP = { namespace: 'laptop', webapp: NAME };

export interface WatchedStack {
  readonly stack: Stack;
  readonly prometheus: Prometheus;
  readonly spec: object;
  /** From now on the application has this trouble, until it is undone. */
  wish(fault: 'broken' | 'slow-start' | `sick-${number}`): void;
  undo(fault: string): void;
}

/** Ends when the test does. */
export async function startWatched(wanted: object): Promise<WatchedStack> {
  const faults = mkdtempSync(join(tmpdir(), 'faults-'));
  onTestFinished(() => rmSync(faults, { recursive: true, force: true }));
  const spec = { app: 'faulty:app', ...wanted, env: [{ name: 'FAULTS', value: faults }] };
  const stack = await startNamedStack(NAME, 'e2e/monitoring/app', spec);
  const prometheus = await startPrometheus(
    (['proxy', 'worker'] as const).map((of) => target(stack, of)),
    shortenedRules(),
  );
  onTestFinished(() => prometheus.stop());
  // What is counted before the first scrape is no increase to Prometheus.
  const scraped = ['webapp_worker_processes', 'webapp_proxy_connections'];
  await untilAllAnswered(
    prometheus,
    scraped.map((expr) => ({ title: 'scraped', expr })),
  );
  return {
    stack,
    prometheus,
    spec,
    wish: (fault) => writeFileSync(join(faults, fault), ''),
    undo: (fault) => rmSync(join(faults, fault), { force: true }),
  };
}

function target(stack: Stack, of: 'proxy' | 'worker'): Target {
  return {
    job: 'webapps',
    labels: { namespace: OF_APP.namespace, pod: `${NAME}-${of}` },
    metrics: async () => ({ text: await stack.metrics(of), type: 'text/plain; version=0.0.4; charset=utf-8' }),
  };
}

/** Requests of a kind, one after the other until it is stopped, or the test ends; each answer is what it is. @returns stop */
export function keepAsking(...asks: readonly (() => Promise<Response>)[]): () => Promise<void> {
  const over = new AbortController();
  const lanes = asks.map(async (ask) => {
    while (!over.signal.aborted) {
      await (await ask().catch(() => null))?.arrayBuffer().catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  const stop = async (): Promise<void> => {
    over.abort();
    await Promise.all(lanes);
  };
  onTestFinished(stop);
  return stop;
}
