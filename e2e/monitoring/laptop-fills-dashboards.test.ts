// A running `webapp up`, a real Prometheus: every expression of dashboards and rules that a laptop can answer has data, and every alert that a laptop can have
// fires when its fault is caused, with the cause in its words. Rules are those that are shipped; only their windows and waits are shorter.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Stack, startStack, until } from '../laptop/stack.ts';
import { type Prometheus, startPrometheus, type Target } from './prometheus.ts';
import {
  dashboardQuestions,
  isOfDiscovery,
  isOfOperator,
  recordQuestions,
  shortenedRules,
  untilAllAnswered,
  untilFires,
} from './shortened.ts';

const PROCESSES = 2;
const SPEC = {
  app: 'faulty:app',
  workers: { processes: PROCESSES, timeout: '4s' },
  proxy: { limits: { body: '1Ki' } },
};
const OF_APP = { namespace: 'laptop', webapp: 'app' };

interface Watched {
  readonly stack: Stack;
  readonly prometheus: Prometheus;
  /** While it is there, the application does not start. */
  readonly broken: string;
  readonly spec: object;
}

async function startWatched(processes = PROCESSES): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'faulty-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const broken = join(folder, 'broken');
  const spec = { ...SPEC, workers: { ...SPEC.workers, processes }, env: [{ name: 'BROKEN', value: broken }] };
  const stack = await startStack('e2e/monitoring/app', spec);
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
  return { stack, prometheus, broken, spec };
}

function target(stack: Stack, of: 'proxy' | 'worker'): Target {
  return {
    job: 'webapps',
    labels: { namespace: 'laptop', pod: `app-${of}` },
    metrics: async () => ({ text: await stack.metrics(of), type: 'text/plain; version=0.0.4; charset=utf-8' }),
  };
}

/** Requests of a kind, one after the other until the test ends; each answer is what it is. */
function keepAsking(...asks: readonly (() => Promise<Response>)[]): void {
  const stop = new AbortController();
  const lanes = asks.map(async (ask) => {
    while (!stop.signal.aborted) {
      await (await ask().catch(() => null))?.arrayBuffer().catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  onTestFinished(async () => {
    stop.abort();
    await Promise.all(lanes);
  });
}

test('all that dashboards and recording rules ask has an answer', async () => {
  const { stack, prometheus, spec } = await startWatched();
  const { url } = stack;
  keepAsking(
    () => fetch(url),
    () => fetch(`${url}/fail`),
    () => fetch(`${url}/slow?seconds=60`),
    () => fetch(url, { method: 'POST', body: 'x'.repeat(2_000) }),
  );
  const questions = [...dashboardQuestions(), ...recordQuestions()];
  const mine = questions.filter((question) => !isOfOperator(question) && !isOfDiscovery(question));
  expect(mine.length).toBeGreaterThan(80);
  const note = mine.filter(({ title }) => title === 'webapp: Configurations');
  expect(note).toHaveLength(1);
  await untilAllAnswered(
    prometheus,
    mine.filter((question) => !note.includes(question)),
  );
  // A change is drawn for half a minute.
  stack.edit({ ...spec, workers: { ...SPEC.workers, processes: PROCESSES + 1 } });
  await untilAllAnswered(prometheus, note);
  expect(await prometheus.failedRules()).toEqual([]);
});

test('requests fail: the error budget burns, in every window', async () => {
  const { stack, prometheus } = await startWatched();
  keepAsking(() => fetch(`${stack.url}/fail`));
  for (const window of ['1h', '6h', '1d', '3d']) {
    const { annotations } = await untilFires(prometheus, 'WebAppErrorBudgetBurn', { ...OF_APP, window });
    expect(annotations['description']).toMatch(/^100% of the requests to laptop\/app failed/);
    expect(annotations['runbook_url']).toMatch(/\/WebAppErrorBudgetBurn\.md$/);
  }
});

test('processes are all busy: saturated, and requests wait', async () => {
  const { stack, prometheus } = await startWatched();
  const slow = () => fetch(`${stack.url}/slow?seconds=1`);
  keepAsking(...Array.from({ length: PROCESSES * 4 }, () => slow));
  await untilFires(prometheus, 'WebAppSaturated', OF_APP);
  const { annotations } = await untilFires(prometheus, 'WebAppRequestsWait', OF_APP);
  expect(annotations['description']).toMatch(/^One request in 20 to laptop\/app waits [\d.]+s or longer/);
});

test('processes are killed, and cannot start again: a crash loop with its cause, then none is ready', async () => {
  const { stack, prometheus, broken } = await startWatched(4);
  for (const { pid } of (await stack.workerStatus()).list) process.kill(pid, 'SIGKILL');
  const { annotations } = await untilFires(prometheus, 'WebAppCrashLoop', { ...OF_APP, cause: 'signal' });
  expect(annotations['summary']).toBe('Processes of laptop/app die again and again: signal');
  writeFileSync(broken, '');
  for (const { pid, state } of (await stack.workerStatus()).list) if (state === 'ready') process.kill(pid, 'SIGKILL');
  await untilFires(prometheus, 'WebAppNoReadyProcess', { ...OF_APP, seen_by: 'worker' });
});

test.each(['worker', 'proxy'] as const)('the %s refuses its configuration', async (program) => {
  const { stack, prometheus } = await startWatched();
  writeFileSync(configOf(stack.programs()[program]), '{}');
  await until('the refusal', async () => {
    const { config } = program === 'worker' ? await stack.workerStatus() : await stack.proxyStatus();
    return config.error;
  });
  await untilFires(prometheus, 'WebAppConfigNotApplied', { ...OF_APP, seen_by: 'program', program });
});

test('where no operator is, that is told', async () => {
  const { prometheus } = await startWatched();
  await untilFires(prometheus, 'WebAppOperatorNotReconciling', { cause: 'no operator' });
  const firing = await prometheus.firing();
  expect(firing.map(({ labels }) => labels['alertname'])).toEqual(['WebAppOperatorNotReconciling']);
});

function configOf(pid: number): string {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return args[args.indexOf('--config') + 1] ?? '';
}
