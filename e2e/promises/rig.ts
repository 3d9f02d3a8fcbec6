// What every file of promises begins with: the real cluster with our operator in it, a pod that makes load, and for each test a namespace of
// its own. When a test fails, what was there is told before it is removed.
import { basename, join } from 'node:path';
import { beforeAll, expect, inject, onTestFinished } from 'vitest';
import { skipWhatFollows } from '../cluster/fixture.ts';
import { openRealCluster } from '../cluster/providers.ts';
import type { ClusterState, RealCluster } from '../cluster/real-cluster.ts';
import type { LoadReport } from '../load.ts';
import { eventually, isComplete, type WebAppObject, type WebApps, webAppsIn } from '../namespace.ts';
import { appendRow, type PromiseRow } from '../report/rows.ts';
import { tellAbout } from './dump.ts';
import { GOODS, type Shop } from './images.ts';
import {
  ensureLoadPod,
  type LoadPod,
  type LoadRequest,
  namespaceObject,
  type RemoteLoad,
  type VisitAnswer,
} from './load-pod.ts';
import { ensureOperator } from './operator.ts';
import { type PodView, podsOf } from './pods.ts';
import { ROWS_FILE } from './rows-file.ts';

export { condition, eventually, isComplete, type WebAppObject } from '../namespace.ts';
export { uidsOf } from './pods.ts';

/** Two busy cores, two nodes, and applications that really boot. */
const PATIENCE_MS = 180_000;
const PER_SECOND = 50;

/**
 * For the top of a file or describe: its tests are skipped, or fail where there must be one, when there is no cluster.
 * @returns a function that gives the cluster, for tests and hooks; it must not be closed
 */
export function useRealCluster(): () => RealCluster {
  const promises = inject('promises');
  let cluster: RealCluster | undefined;
  if ('missing' in promises) skipWhatFollows(promises.missing);
  else {
    beforeAll(async () => {
      cluster = await openRealCluster(promises.state);
    });
  }
  return () => {
    if (cluster === undefined) throw new Error('the cluster is there in tests and hooks only');
    return cluster;
  };
}

export interface Rig {
  readonly cluster: RealCluster;
  readonly load: LoadPod;
  /** A namespace that enforces pod security `restricted`, for the test that runs: removed after it. */
  makePlace(): Promise<Place>;
}

/** As `useRealCluster`, with the operator installed and ready. */
export function useRig(): () => Rig {
  const getCluster = useRealCluster();
  let load: LoadPod | undefined;
  beforeAll(async () => {
    await ensureOperator(getCluster());
    load = await ensureLoadPod(getCluster());
  });
  return () => {
    if (load === undefined) throw new Error('the rig is there in tests and hooks only');
    return makeRig(getCluster(), load);
  };
}

export interface Place extends WebApps {
  readonly cluster: RealCluster;
  readonly state: ClusterState;
  /** The WebApp's Service as other pods know it, such as `http://shop.NAMESPACE.svc.cluster.local/api/goods`. */
  url(webApp: string, path?: string): string;
  /** Of the WebApp: those that are not being deleted, by name. */
  pods(webApp: string, component?: 'worker' | 'proxy'): Promise<PodView[]>;
  /** The shop's first version with all that examples/webapp.yaml has, and `spec` over it. @returns when it is whole, and answers */
  open(shop: Shop, spec?: Spec): Promise<WebAppObject>;
  /** `kubectl apply` of the same with another `spec`. Does not wait. */
  change(shop: Shop, spec: Spec): Promise<void>;
  /** Waits until all of it serves this image and nothing moves any more. */
  serves(webApp: string, image: string): Promise<WebAppObject>;
  /** Waits until the Service leads somewhere: kube-proxy hears of ready pods after the WebApp has. */
  answers(webApp: string): Promise<void>;
  /** One request from inside the cluster. */
  visit(webApp: string, path: string, how?: { method?: string; bodyBytes?: number }): Promise<VisitAnswer>;
  /** Loads the WebApp from a second before `action` until two after it; prints the count and keeps it for the report. @param action gives a note for it */
  loadedWhile(promise: Promised, action: () => Promise<Note>): Promise<Loaded>;
  kubectlOk(...args: readonly string[]): Promise<string>;
}

/** Fields of a WebApp's `spec`. */
export interface Spec {
  readonly proxy?: object;
  readonly [field: string]: unknown;
}

/** What else is worth a word in the report, such as `live after 1.2 s`. */
export type Note = string | undefined;

export interface Promised {
  /** As a sentence: it is a row of the report. */
  readonly promise: string;
  /** Name of the WebApp. */
  readonly app: string;
  /** Default: 50 requests a second for /api/goods, which must hold a teapot. */
  readonly load?: Partial<Extract<LoadRequest, { kind: 'http' }>> | Extract<LoadRequest, { kind: 'websocket' }>;
}

export interface Loaded extends LoadReport {
  readonly seconds: number;
}

function makeRig(cluster: RealCluster, load: LoadPod): Rig {
  return {
    cluster,
    load,
    makePlace: async () => {
      const namespace = `promise-${Date.now().toString(36)}`;
      await cluster.kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(namespaceObject(namespace)) });
      onTestFinished(async ({ task }) => {
        if (task.result?.state === 'fail') console.error(await tellAbout(cluster, namespace));
        await cluster.kubectlOk(['delete', 'namespace', namespace, '--wait=false']);
      });
      return makePlace(cluster, load, namespace);
    },
  };
}

function makePlace(cluster: RealCluster, load: LoadPod, namespace: string): Place {
  const promises = inject('promises');
  if ('missing' in promises) throw new Error(promises.missing);
  const webApps = webAppsIn(cluster, namespace, PATIENCE_MS);
  const url: Place['url'] = (webApp, path = '') => `http://${webApp}.${namespace}.svc.cluster.local${path}`;
  const place: Place = {
    ...webApps,
    cluster,
    state: promises.state,
    url,
    pods: (webApp, component) => podsOf(cluster, namespace, webApp, component),
    open: async (shop, spec = {}) => {
      await place.change(shop, spec);
      const webApp = await place.serves(shop.name, shop.first);
      await place.answers(shop.name);
      return webApp;
    },
    change: (shop, spec) => webApps.apply(shop.name, specOf(shop, spec)),
    serves: (webApp, image) =>
      webApps.settled(webApp, `serving ${image}`, (one) => isComplete(one) && one.status?.image === image),
    answers: (webApp) => answers(place, webApp),
    visit: (webApp, path, how) => load.visit({ url: url(webApp, path), ...how }),
    loadedWhile: (promise, action) => loadedWhile(place, load, promise, action),
    kubectlOk: (...args) => cluster.kubectlOk(['-n', namespace, ...args]),
  };
  return place;
}

async function answers(place: Place, webApp: string): Promise<void> {
  let last = '';
  await eventually(
    async () => {
      const { status, text } = await place
        .visit(webApp, '/')
        .catch((error: Error) => ({ status: 0, text: error.message }));
      last = `${status} ${text.slice(0, 200)}`;
      return status === 200;
    },
    () => `${webApp} does not answer: ${last}`,
  );
}

/** As examples/webapp.yaml has it, with `changes`. */
function specOf({ first, app, staticFolder }: Shop, changes: Spec): Spec {
  return {
    image: first,
    app,
    workers: { processes: 3 },
    health: { path: '/healthz' },
    ...changes,
    proxy: { static: [{ path: '/static', from: staticFolder }], ...changes.proxy },
  };
}

async function loadedWhile(
  place: Place,
  pod: LoadPod,
  { promise, app, load = {} }: Promised,
  action: () => Promise<Note>,
): Promise<Loaded> {
  const request = requestOf(place, app, load);
  const began = performance.now();
  const running = await pod.start(request);
  const [acted] = await Promise.allSettled([amidLoad(running, rateOf(request), action)]);
  const { sent, ok, failures, slowestMs } = await running.stop();
  const seconds = Math.round((performance.now() - began) / 1000);
  const file = basename(expect.getState().testPath ?? '');
  const note = acted.status === 'fulfilled' ? acted.value : 'not held';
  const row = { file, promise, app, requests: sent, failures, slowestMs, seconds, ...(note !== undefined && { note }) };
  tellRow(place.state, row);
  if (acted.status === 'rejected') throw acted.reason;
  return { sent, ok, failures, slowestMs, seconds };
}

/** For the report, and for whoever watches. */
function tellRow({ folder }: ClusterState, row: PromiseRow): void {
  appendRow(join(folder, ROWS_FILE), row);
  const { promise, app, requests, failures, slowestMs, note } = row;
  const numbers = `${requests} | failed ${JSON.stringify(failures)} | slowest ${Math.round(slowestMs)} ms`;
  console.log(`${promise} | ${app} | ${numbers}${note === undefined ? '' : ` | ${note}`}`);
}

async function amidLoad(running: RemoteLoad, perSecond: number, action: () => Promise<Note>): Promise<Note> {
  const untilSent = async (wanted: number): Promise<void> => {
    let last: LoadReport | undefined;
    await eventually(
      async () => {
        last = await running.report();
        return last.sent >= wanted;
      },
      () => `the load stands still: ${JSON.stringify(last)}`,
    );
  };
  await untilSent(perSecond);
  const note = await action();
  await untilSent((await running.report()).sent + 2 * perSecond);
  return note;
}

function requestOf(place: Place, app: string, load: NonNullable<Promised['load']>): LoadRequest {
  if (load.kind === 'websocket') return load;
  const usual = { url: place.url(app, '/api/goods'), perSecond: PER_SECOND, expect: GOODS.always };
  return { ...usual, ...load, kind: 'http' };
}

const rateOf = (request: LoadRequest): number =>
  request.kind === 'http' ? request.perSecond : (request.sockets * 1000) / request.everyMs;

/** @returns such as `1.2` */
export async function secondsOf(action: () => Promise<unknown>): Promise<string> {
  const began = performance.now();
  await action();
  return ((performance.now() - began) / 1000).toFixed(1);
}
