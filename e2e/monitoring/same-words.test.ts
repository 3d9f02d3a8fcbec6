// A fault of each kind, really caused in a running `webapp up`: the live page in a real browser, `webapp status` for people and for software, metrics and the alert
// that belongs to it tell the same cause in the same words, those of the tables in core/.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { FAULTS } from '../../core/errors.ts';
import { CAUSE_WORDS, DEATH_MENDS, type FaultCause } from '../../core/status/death-causes.ts';
import { ANSWERED_SO, TROUBLES } from '../../core/status/troubles.ts';
import { type Stack, until } from '../laptop/stack.ts';
import { openMemoryLimit } from './memory-limit.ts';
import { CHROMIUM, openPlaces, type Places, type Said } from './places.ts';
import { untilAllAnswered, untilFires } from './shortened.ts';
import { keepAsking, NAME, OF_APP, startWatched, type WatchedStack } from './watched-stack.ts';

const missing = existsSync(CHROMIUM) ? '' : `there is no ${CHROMIUM}: npm run cluster install`;
if (missing !== '' && inject('clusterIsMust')) throw new Error(missing);
if (missing !== '') console.log(`no fault is caused and looked for: ${missing}`);

const PROCESSES = 4;
const SPEC = {
  workers: { processes: PROCESSES, timeout: '2s' },
  health: { path: '/healthz', interval: '1s', timeout: '1s', failures: 1 },
};
/** Worker and processes take half of it. */
const LIMIT_BYTES = 400 * 2 ** 20;

/** Beside what a person reads: a metric that is not empty, and an alert whose description has the words, or these of them. */
interface Told extends Said {
  readonly metric: string;
  readonly alert: readonly [name: string, labels: Readonly<Record<string, string>>];
  readonly inAlert?: readonly string[];
}

function deathIsTold(cause: FaultCause): Told {
  return {
    words: [CAUSE_WORDS[cause]],
    mend: DEATH_MENDS[cause],
    metric: `webapp_worker_process_ends_total{cause="${cause}"} >= 3`,
    alert: ['WebAppCrashLoop', { cause }],
  };
}

const ERRORS: Told = {
  words: [TROUBLES.errors.words, ANSWERED_SO],
  mend: TROUBLES.errors,
  metric: 'rate(webapp_proxy_requests_total{class="5xx"}[10s]) > 0',
  alert: ['WebAppErrorBudgetBurn', { window: '1h' }],
};
const WAIT: Told = {
  words: [TROUBLES.wait.words],
  mend: TROUBLES.wait,
  metric: 'webapp_worker_queue_length > 0',
  alert: ['WebAppRequestsWait', {}],
};
const REFUSED: Told = {
  words: [TROUBLES.refused.words],
  mend: TROUBLES.refused,
  metric: 'webapp_worker_config_refused == 1 and on (webapp) webapp_proxy_config_refused == 1',
  alert: ['WebAppConfigNotApplied', { seen_by: 'program', program: 'worker' }],
};
const UNREACHED: Told = {
  words: [TROUBLES.unreached.words, FAULTS.NO_ENDPOINT.message],
  mend: TROUBLES.unreached,
  metric: 'webapp_proxy_endpoints{state="failing"} > 0',
  alert: ['WebAppWorkerUnreachable', {}],
  inAlert: [TROUBLES.unreached.words],
};
const NO_PROCESS: Told = {
  words: [TROUBLES.noProcess.words, CAUSE_WORDS.boot],
  mend: DEATH_MENDS.boot,
  metric: 'webapp_worker_processes{state="ready"} == 0',
  alert: ['WebAppNoReadyProcess', { seen_by: 'worker' }],
  inAlert: [TROUBLES.noProcess.words],
};

/** How at least three processes come to die so. @returns undo it */
const DEATHS: Readonly<Record<FaultCause, (watched: WatchedStack) => Promise<() => void>>> = {
  signal: async ({ stack }) => {
    await killAll(stack);
    return () => {};
  },
  exit: (watched) => askAll(watched, '/leave'),
  timeout: (watched) => askAll(watched, '/slow?seconds=60'),
  protocol: (watched) => askAll(watched, '/write-into-socket'),
  oom: async ({ stack }) => {
    // One by one: of several the kernel may take one to feed the others.
    for (let i = 0; i < PROCESSES; i++) await fetch(`${stack.url}/eat`, { method: 'POST' });
    return () => {};
  },
  unhealthy: async ({ stack, wish, undo }) => {
    // Where all are, they go on serving what they can.
    const sick = (await stack.workerStatus()).list.slice(1).map(({ pid }) => `sick-${pid}` as const);
    for (const one of sick) wish(one);
    return () => sick.forEach(undo);
  },
  boot: async ({ stack, wish, undo }) => {
    wish('broken');
    process.kill(stack.programs().worker, 'SIGHUP');
    return () => undo('broken');
  },
  'boot-timeout': async ({ stack, wish, undo }) => {
    const document = configOf(stack.programs().worker);
    const text = readFileSync(document, 'utf8');
    const config = JSON.parse(text) as { timeouts: object };
    // Always a minute, which no manifest can change; too long to wait for here.
    replace(document, JSON.stringify({ ...config, hash: 'short', timeouts: { ...config.timeouts, bootMs: 1_000 } }));
    await until('it to be taken', async () =>
      (await stack.workerStatus()).config.hash === 'short' ? true : undefined,
    );
    wish('slow-start');
    process.kill(stack.programs().worker, 'SIGHUP');
    return () => {
      undo('slow-start');
      replace(document, text);
    };
  },
};

/** A request to each process; none is sent again when that dies. */
async function askAll({ stack }: WatchedStack, path: string): Promise<() => void> {
  for (let i = 0; i < PROCESSES; i++)
    void fetch(`${stack.url}${path}`, { method: 'POST' }).then(
      (response) => response.arrayBuffer(),
      () => undefined,
    );
  return () => {};
}

async function killAll(stack: Stack): Promise<void> {
  for (const { pid } of (await stack.workerStatus()).list) process.kill(pid, 'SIGKILL');
}

test.skipIf(missing !== '')('each fault is told in the same words everywhere', async () => {
  const limit = openMemoryLimit(LIMIT_BYTES);
  if (typeof limit === 'string') console.log(`no process runs out of memory here, only in a real cluster: ${limit}`);
  else onTestFinished(() => limit.close());
  const watched = await startWatched(SPEC);
  const { stack, prometheus } = watched;
  const places = await openPlaces(stack, NAME);
  onTestFinished(() => places.close());
  if (typeof limit !== 'string') {
    limit.take(stack.pid);
    await restartWorker(stack);
  }
  await untilFires(prometheus, 'WebAppOperatorNotReconciling', { cause: 'no operator' });
  const firing = (await prometheus.firing()).map(({ labels }) => labels['alertname']);
  expect(firing).toEqual(['WebAppOperatorNotReconciling']);

  const { untilSeen, misses } = watch(places, watched);
  for (const [cause, causeIt] of Object.entries(DEATHS) as [FaultCause, (typeof DEATHS)[FaultCause]][]) {
    if (cause === 'oom' && typeof limit === 'string') continue;
    const undo = await causeIt(watched);
    await untilSeen(deathIsTold(cause));
    await until(`three that died by ${cause}`, async () => {
      const { deaths } = await stack.workerStatus();
      return deaths.filter((death) => death.cause === cause).length >= 3 ? true : undefined;
    });
    undo();
    await allReady(stack);
  }
  await requestsWaitAndFail(watched, untilSeen);
  await configurationIsRefused(watched, untilSeen);
  await workerIsNotReached(watched, untilSeen);
  watched.wish('broken');
  await killAll(stack);
  await untilSeen(NO_PROCESS, 'and fires');
  expect(await misses()).toEqual([]);
  expect(await prometheus.failedRules()).toEqual([]);
});

type UntilSeen = (told: Told, fires?: 'and fires') => Promise<void>;

/** Goes on when people have been told, or, if asked to, when the alert fires; what misses is told at the end, all of it. */
function watch(places: Places, { prometheus }: WatchedStack): { untilSeen: UntilSeen; misses(): Promise<string[]> } {
  const missed: string[] = [];
  const told: Promise<void>[] = [];
  const note = (part: Promise<unknown>): Promise<void> => {
    const noted = part.then(
      () => {},
      (error: unknown) => {
        missed.push(String(error));
      },
    );
    told.push(noted);
    return noted;
  };
  return {
    untilSeen: async ({ words, mend, metric, alert: [name, labels], inAlert = words }, fires) => {
      const counted = note(untilAllAnswered(prometheus, [{ title: name, expr: metric }]));
      const fired = note(untilFires(prometheus, name, { ...OF_APP, ...labels }, inAlert));
      await note(places.untilTold({ words, mend }));
      if (fires) await Promise.all([counted, fired]);
    },
    misses: async () => {
      await Promise.all(told);
      return missed;
    },
  };
}

async function requestsWaitAndFail({ stack, prometheus }: WatchedStack, untilSeen: UntilSeen): Promise<void> {
  const lanes = Array.from({ length: PROCESSES * 4 }, () => () => fetch(`${stack.url}/slow?seconds=0.5`));
  const stop = keepAsking(...lanes, () => fetch(`${stack.url}/fail`));
  await Promise.all([
    untilSeen(ERRORS, 'and fires'),
    untilSeen(WAIT, 'and fires'),
    untilFires(prometheus, 'WebAppSaturated', OF_APP),
    ...['6h', '1d', '3d'].map((window) => untilFires(prometheus, 'WebAppErrorBudgetBurn', { ...OF_APP, window })),
  ]);
  await stop();
}

async function configurationIsRefused({ stack, prometheus }: WatchedStack, untilSeen: UntilSeen): Promise<void> {
  const documents = Object.values(stack.programs()).map(configOf);
  const texts = documents.map((document) => readFileSync(document, 'utf8'));
  for (const document of documents) replace(document, '{}');
  const [name, labels] = REFUSED.alert;
  await Promise.all([
    untilSeen(REFUSED, 'and fires'),
    untilFires(prometheus, name, { ...OF_APP, ...labels, program: 'proxy' }, REFUSED.words),
  ]);
  for (const [i, document] of documents.entries()) replace(document, texts[i] ?? '');
}

/** Its socket is elsewhere, and the proxy another one, which has no connections from before. */
async function workerIsNotReached({ stack, prometheus }: WatchedStack, untilSeen: UntilSeen): Promise<void> {
  const { worker, proxy } = stack.programs();
  const socket = argumentOf(worker, '--listen').replace(/^unix:/, '');
  renameSync(socket, `${socket}.away`);
  process.kill(proxy, 'SIGKILL');
  // Each waits for seconds: they come evenly, and so do their failures.
  const coming = setInterval(() => void fetch(stack.url).then((response) => response.arrayBuffer(), String), 250);
  onTestFinished(() => clearInterval(coming));
  const why = [TROUBLES.errors.words, FAULTS.NO_ENDPOINT.message];
  await Promise.all([
    untilSeen(UNREACHED, 'and fires'),
    untilFires(prometheus, 'WebAppErrorBudgetBurn', { ...OF_APP, window: '1h' }, why),
  ]);
  clearInterval(coming);
  renameSync(`${socket}.away`, socket);
  await allReady(stack);
}

async function restartWorker(stack: Stack): Promise<void> {
  const { worker } = stack.programs();
  process.kill(worker, 'SIGKILL');
  await until('another worker', async () => {
    const status = await stack.workerStatus().catch(() => null);
    return status !== null && status.pid !== worker ? true : undefined;
  });
  await allReady(stack);
}

async function allReady(stack: Stack): Promise<void> {
  await until('every process ready', async () => {
    const status = await stack.workerStatus().catch(() => null);
    const isStaying = status?.list.every(({ state }) => state === 'ready');
    return isStaying && status?.processes.ready === PROCESSES ? true : undefined;
  });
}

const configOf = (pid: number): string => argumentOf(pid, '--config');

function argumentOf(pid: number, flag: string): string {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return args[args.indexOf(flag) + 1] ?? '';
}

/** Never half of it. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
