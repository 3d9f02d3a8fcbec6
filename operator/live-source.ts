// Where the operator's live page has its documents from: the caches for what there is, and the pods' admin ports for how they fare, asked only while somebody looks.
// Bounded in pods of a page and in questions at a time of all pages.
import type { REASONS } from '../core/app/conditions.ts';
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { WebAppStatus } from '../core/status/webapp.ts';
import type { WorkerStatus } from '../core/status/worker.ts';
import type { KubeObject } from '../kube/object.ts';
import { configurationText } from '../live/configuration.ts';
import type { Listed, Source, Told, WebAppDocuments } from '../live/source.ts';
import type { PodAddress } from './webapp/ask-pod.ts';
import type { Caches } from './webapp/caches.ts';
import { PORT } from './webapp/names.ts';
import { readWebApp } from './webapp/observe.ts';
import type { Pod } from './webapp/observed.ts';

export interface LiveSourceOptions {
  readonly caches: Pick<Caches, 'webAppKeys' | 'webApp' | 'pods'>;
  readonly askWorker: (address: PodAddress, signal: AbortSignal) => Promise<WorkerStatus>;
  readonly askProxy: (address: PodAddress, signal: AbortSignal) => Promise<ProxyStatus>;
}

/** Of one page. */
const MAX_WORKERS = 32;
const MAX_PROXIES = 8;
/** Of all pages together. */
const QUESTIONS = 16;
/** Between two looks at each pod of a page, by their number: no more than 25 questions a second. */
const EVERY_MS_OF_POD = 40;

export function makeLiveSource({ caches, askWorker, askProxy }: LiveSourceOptions): Source {
  const gate = new Gate(QUESTIONS);
  const tell = <T>(pods: readonly Pod[], port: number, ask: Ask<T>, signal: AbortSignal): Promise<Told<T>[]> =>
    Promise.all(pods.map((pod) => gate.pass(() => told(pod, port, ask, signal))));
  return {
    list: () => [...caches.webAppKeys()].flatMap((key) => listed(caches.webApp(key)) ?? []),
    read: async ({ namespace, name }, signal) => {
      const key = `${namespace}/${name}`;
      const object = caches.webApp(key);
      if (object === undefined) return undefined;
      const { workers, proxies, notAsked } = podsOf(caches.pods(key));
      const [workersTold, proxiesTold] = await Promise.all([
        tell(workers, PORT.workerAdmin, askWorker, signal),
        tell(proxies, PORT.proxyAdmin, askProxy, signal),
      ]);
      return { ...resourceOf(object), namespace, name, workers: workersTold, proxies: proxiesTold, notAsked };
    },
    everyMs: ({ workers, proxies }) => EVERY_MS_OF_POD * (workers.length + proxies.length),
  };
}

type Ask<T> = (address: PodAddress, signal: AbortSignal) => Promise<T>;

async function told<T>(pod: Pod, port: number, ask: Ask<T>, signal: AbortSignal): Promise<Told<T>> {
  const place = pod.metadata.name;
  if (pod.ip === undefined) return { place, why: `the pod is ${pod.phase}` };
  try {
    return { place, status: await ask({ ip: pod.ip, port }, signal) };
  } catch (error) {
    return { place, why: error instanceof Error ? error.message : String(error) };
  }
}

/** Those that are to serve come first, by name; those that have ended are not asked. */
function podsOf(pods: readonly Pod[]): { workers: Pod[]; proxies: Pod[]; notAsked: number } {
  const living = pods
    .filter(({ phase }) => phase === 'Running' || phase === 'Pending')
    .toSorted((a, b) => rank(a) - rank(b) || a.metadata.name.localeCompare(b.metadata.name));
  const [workers, proxies] = (['worker', 'proxy'] as const).map((component) =>
    living.filter((pod) => pod.component === component),
  ) as [Pod[], Pod[]];
  const notAsked = Math.max(0, workers.length - MAX_WORKERS) + Math.max(0, proxies.length - MAX_PROXIES);
  return { workers: workers.slice(0, MAX_WORKERS), proxies: proxies.slice(0, MAX_PROXIES), notAsked };
}

const rank = ({ metadata }: Pod): number => (metadata.deletionTimestamp === undefined ? 0 : 1);

type Resource = Pick<WebAppDocuments, 'url' | 'conditions' | 'problems' | 'configuration'>;

/** By the object in the cache, which is another when anything in it is: it is looked at again and again. */
const read = new WeakMap<KubeObject, Resource>();

function resourceOf(object: KubeObject): Resource {
  const resource = read.get(object) ?? readResource(object);
  read.set(object, resource);
  return resource;
}

function readResource(object: KubeObject): Resource {
  const { spec, status } = readWebApp(object).webApp;
  return {
    ...(status?.url !== undefined && { url: status.url }),
    conditions: status?.conditions ?? [],
    problems: status?.problems ?? [],
    configuration: configurationText(spec),
  };
}

function listed(object: KubeObject | undefined): Listed | undefined {
  if (object === undefined) return undefined;
  const { namespace = '', name } = object.metadata;
  const status = object['status'] as WebAppStatus | undefined;
  return { namespace, name, ...(status?.url !== undefined && { url: status.url }), ...fare(status) };
}

/** States that were asked for. */
const WANTED = ['Suspended', 'ScaledToZero'] as const satisfies (keyof (typeof REASONS)['Ready'])[];

/** In the words of the status. */
function fare(status: WebAppStatus | undefined): Pick<Listed, 'tone' | 'text'> {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined) return { tone: 'unknown', text: 'The operator has not looked at it yet.' };
  const serves = ready.status === 'True';
  const [problem] = status?.problems ?? [];
  if (problem) return { tone: serves ? 'warning' : 'bad', text: problem.message };
  if (!serves)
    return { tone: WANTED.some((reason) => reason === ready.reason) ? 'unknown' : 'bad', text: ready.message };
  const processes = status?.workers?.summary;
  return { tone: 'good', text: processes === undefined ? ready.message : `${processes} processes ready.` };
}

/** So many at a time; the others wait their turn. */
class Gate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
