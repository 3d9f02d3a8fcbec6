// WebApps of a cluster: read from the resource, its pods, its events and the status documents of its programs; changed by patches of the resource, which the
// operator brings into force.
import { RESTARTED_AT_ANNOTATION } from '../../core/app/schema.ts';
import type { Clock } from '../../core/clock.ts';
import { makeClient } from '../../kube/client.ts';
import { isNotFound, KubeError } from '../../kube/errors.ts';
import { type Place as ObjectPlace, pathOf, type Resource } from '../../kube/object.ts';
import { configurationText } from '../../live/configuration.ts';
import { Minutes } from '../../live/minutes.ts';
import { makePicture } from '../../live/picture.ts';
import { Places } from '../../live/places.ts';
import type { WebAppDocuments } from '../../live/source.ts';
import { RECENT_SECONDS } from '../../live/verdict.ts';
import { Failure } from '../failure.ts';
import type { LogLine, Place, Size, WantedLogs } from '../show/place.ts';
import type { EventSight, Sight } from '../show/sight.ts';
import { plainText } from '../terminal/plain.ts';
import { askPrograms, type ProgramsTold, silenceOf, type WaysToPods } from './ask-programs.ts';
import { clusterFailure, noOperator } from './cluster-failure.ts';
import { EVENT, LABEL, POD, WEBAPP } from './kinds.ts';
import { readPodLogs } from './pod-logs.ts';
import { type ClusterPod, readEvents, readPod } from './pods.ts';
import { fareOf, readResource, UNSEEN, type WebAppResource } from './resource.ts';

export interface ClusterPlaceOptions extends WaysToPods {
  /** undefined: all. */
  readonly namespace: string | undefined;
  /** URL, for people. */
  readonly server: string;
  readonly clock: Clock;
}

/** Of one list. */
const MAX_WEBAPPS = 500;
const MAX_PODS = 2_000;
const MAX_EVENTS = 100;
/** Pods of a list whose programs are asked; of the other WebApps is told what the operator says. */
const MAX_ASKED_PODS = 48;
/** Names that are shown when one is not there. */
const MAX_NAMES = 20;
/** Between the two looks that make a rate. */
const SECOND_MS = 1_000;
const FIELD_MANAGER = 'webapp';

interface Watched {
  readonly minutes: Minutes;
  readonly places: Places;
}

const NOT_ASKED: ProgramsTold = { workers: [], proxies: [], notAsked: 0 };

export class ClusterPlace implements Place {
  readonly words: string;
  readonly withNamespaces: boolean;
  readonly everyMs = 2_000;
  readonly #options: ClusterPlaceOptions;
  /** By namespace and name: what makes rates of counts, while `top` runs. */
  readonly #watched = new Map<string, Watched>();

  constructor(options: ClusterPlaceOptions) {
    const { namespace, server } = options;
    this.#options = options;
    this.withNamespaces = namespace === undefined;
    this.words = `${server}, ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`;
  }

  list(): Promise<{ sights: Sight[]; notes: string[] }> {
    return this.#told(async () => {
      const { items: unsorted, more } = await this.#resources();
      const items = unsorted.toSorted(byFare);
      const pods = await this.#pods();
      const asked = askable(items.map((one) => podsOf(pods.items, one)));
      const sights = await Promise.all(
        items.map((one, index) => this.#look(one, podsOf(pods.items, one), [], index < asked)),
      );
      const notes = [
        ...(more ? [`there are more than ${MAX_WEBAPPS} WebApps: name a namespace with -n`] : []),
        ...(pods.more
          ? [`there are more than ${MAX_PODS} pods: some are not looked at; name a namespace with -n`]
          : []),
        ...(items.length > asked
          ? [`processes are asked for of the first ${asked} WebApps; name one to see its own`]
          : []),
        ...new Set(sights.flatMap(({ resource }) => resource?.silent || [])),
      ];
      const names = new Set(items.map(keyOf));
      for (const key of this.#watched.keys()) if (!names.has(key)) this.#watched.delete(key);
      return { sights, notes };
    });
  }

  sight(name: string): Promise<Sight> {
    return this.#told(async () => {
      const resource = await this.#resource(name);
      const { items: pods } = await this.#pods(name);
      const first = !this.#watched.has(keyOf(resource));
      const events = await this.#events(resource);
      const sight = await this.#look(resource, pods, events, true);
      if (!first || sight.picture.workers.every(({ state }) => state === 'silent')) return sight;
      await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
      return this.#look(resource, pods, events, true);
    });
  }

  logs(name: string, wanted: WantedLogs, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void> {
    return this.#told(async () => {
      const { namespace } = await this.#resource(name);
      const { transport } = this.#options;
      const pods = async (): Promise<ClusterPod[]> => (await this.#pods(name)).items;
      await readPodLogs({ transport, namespace, name, pods }, wanted, onLine, signal);
    });
  }

  resize(name: string, { processes, replicas }: Size): Promise<string> {
    return this.#told(async () => {
      const { spec, namespace } = await this.#resource(name);
      if (replicas !== undefined && spec.autoscaling !== undefined)
        throw new Failure(
          'REFUSED',
          `${name} has spec.autoscaling, which sets the number of pods`,
          'change spec.autoscaling, or leave out --replicas',
        );
      const changes = [
        ...(processes === undefined ? [] : [`workers.processes ${spec.workers.processes} → ${processes}`]),
        ...(replicas === undefined ? [] : [`replicas ${spec.replicas ?? 'unset'} → ${replicas}`]),
      ];
      await this.#patch(name, namespace, {
        spec: {
          ...(processes !== undefined && { workers: { processes } }),
          ...(replicas !== undefined && { replicas }),
        },
      });
      return `${name}: ${changes.join(', ')}. The operator applies it; webapp status ${name} -n ${namespace} shows how far it is.`;
    });
  }

  restart(name: string): Promise<string> {
    return this.#told(async () => {
      const { namespace } = await this.#resource(name);
      const at = new Date(this.#options.clock.wall()).toISOString();
      await this.#patch(name, namespace, { metadata: { annotations: { [RESTARTED_AT_ANNOTATION]: at } } });
      return `${name}: every pod is replaced, new ones first. webapp status ${name} -n ${namespace} shows how far it is.`;
    });
  }

  close(): void {
    this.#options.transport.close();
    this.#options.podReader.close();
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw clusterFailure(error, this.#options.server);
    }
  }

  async #patch(name: string, namespace: string, patch: object): Promise<void> {
    const client = makeClient({
      transport: this.#options.transport,
      fieldManager: FIELD_MANAGER,
      metricPrefix: 'webapp',
    });
    await client.patch(WEBAPP, { namespace, name }, patch);
  }

  async #resource(name: string): Promise<WebAppResource> {
    const { namespace, transport } = this.#options;
    if (namespace === undefined)
      throw new Failure('USAGE', 'a name is of one namespace', 'write -n NAMESPACE instead of -A');
    try {
      const resource = readResource(
        await transport.request({ method: 'GET', path: pathOf(WEBAPP, { namespace, name }) }),
      );
      if (resource) return resource;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const { items } = await this.#resources();
    const names = items.map((one) => plainText(one.name)).toSorted();
    const there =
      names.length === 0
        ? 'there is none; -A shows those of all namespaces'
        : `there are: ${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ' …' : ''}`;
    throw new Failure('UNKNOWN_NAME', `there is no WebApp ${plainText(name)} in namespace ${namespace}`, there);
  }

  async #resources(): Promise<{ items: WebAppResource[]; more: boolean }> {
    try {
      const { items, more } = await this.#page(WEBAPP, {}, { limit: MAX_WEBAPPS });
      return { items: items.flatMap((one) => readResource(one) ?? []), more };
    } catch (error) {
      if (isNotFound(error)) throw noOperator(this.#options.server);
      throw error;
    }
  }

  async #pods(webApp?: string): Promise<{ items: (ClusterPod & { namespace: string })[]; more: boolean }> {
    const labelSelector = webApp === undefined ? LABEL.webApp : `${LABEL.webApp}=${webApp}`;
    const { items, more } = await this.#page(POD, {}, { labelSelector, limit: MAX_PODS });
    const at = this.#options.clock.wall();
    return { items: items.flatMap((raw) => withNamespace(raw, readPod(raw, at))), more };
  }

  async #events({ name, namespace }: WebAppResource): Promise<EventSight[]> {
    const fieldSelector = `involvedObject.kind=${WEBAPP.kind},involvedObject.name=${name}`;
    try {
      const { items } = await this.#page(EVENT, { namespace }, { fieldSelector, limit: MAX_EVENTS });
      return readEvents(items, this.#options.clock.wall());
    } catch (error) {
      // Who may read WebApps need not be let read events.
      if (error instanceof KubeError && error.status === 403) return [];
      throw error;
    }
  }

  async #page(
    resource: Resource,
    place: ObjectPlace,
    query: Readonly<Record<string, string | number>>,
  ): Promise<{ items: unknown[]; more: boolean }> {
    const { transport, namespace } = this.#options;
    const path = pathOf(resource, { namespace, ...place });
    const answer = await transport.request<{ items?: unknown; metadata?: { continue?: unknown } }>({
      method: 'GET',
      path,
      query,
    });
    return { items: Array.isArray(answer.items) ? answer.items : [], more: Boolean(answer.metadata?.continue) };
  }

  /** @param isAsked its programs tell themselves; otherwise what the operator has written is shown */
  async #look(
    resource: WebAppResource,
    pods: readonly ClusterPod[],
    events: readonly EventSight[],
    isAsked: boolean,
  ): Promise<Sight> {
    const { clock } = this.#options;
    const told = isAsked ? await askPrograms(this.#options, resource.namespace, pods) : NOT_ASKED;
    const documents = documentsOf(resource, told);
    const { minutes, places } = this.#watchedOf(resource);
    const [now, at] = [clock.now(), clock.wall()];
    minutes.take(documents, now, at);
    places.take(documents);
    const [recent, minute] = [minutes.last(RECENT_SECONDS), minutes.last(60)];
    const picture = makePicture({ documents, places, recent, minute, at });
    return {
      picture: isTold(told) ? picture : { ...picture, verdict: fareOf(resource.status), findings: [] },
      sample: minutes.samples().at(-1) ?? null,
      resource: {
        state: resource.status.state ?? UNSEEN,
        image: resource.status.image ?? resource.spec.image,
        revision: resource.status.revision ?? '',
        pods: resource.status.pods?.summary ?? '',
        proxies: resource.status.proxies?.summary ?? '',
        processes: resource.status.workers?.summary ?? '',
        problems: resource.status.problems ?? [],
        podList: pods,
        events,
        silent: silenceOf(told),
      },
    };
  }

  #watchedOf(resource: WebAppResource): Watched {
    const key = keyOf(resource);
    const watched = this.#watched.get(key) ?? { minutes: new Minutes(), places: new Places() };
    this.#watched.set(key, watched);
    return watched;
  }
}

const TONES = { bad: 0, warning: 1, unknown: 2, good: 3 } as const;

/** The worst first, as the operator tells. */
function byFare(a: WebAppResource, b: WebAppResource): number {
  return TONES[fareOf(a.status).tone] - TONES[fareOf(b.status).tone] || keyOf(a).localeCompare(keyOf(b));
}

/** @param pods of each WebApp. @returns how many WebApps of the first have no more pods than may be asked; the first always */
export function askable(pods: readonly (readonly unknown[])[]): number {
  let sum = 0;
  const over = pods.findIndex((each) => {
    sum += each.length;
    return sum > MAX_ASKED_PODS;
  });
  return over < 0 ? pods.length : Math.max(1, over);
}

const isTold = ({ workers, proxies }: ProgramsTold): boolean =>
  [...workers, ...proxies].some(({ status }) => status !== undefined);

const keyOf = ({ namespace, name }: Pick<WebAppResource, 'namespace' | 'name'>): string => `${namespace}/${name}`;

function withNamespace(raw: unknown, pod: ClusterPod | undefined): (ClusterPod & { namespace: string })[] {
  const { namespace = '' } = (raw as { metadata?: { namespace?: string } }).metadata ?? {};
  return pod === undefined ? [] : [{ ...pod, namespace }];
}

function podsOf(
  pods: readonly (ClusterPod & { namespace: string })[],
  { namespace, name }: WebAppResource,
): ClusterPod[] {
  return pods.filter((pod) => pod.webApp === name && pod.namespace === namespace);
}

function documentsOf({ namespace, name, status, wholeSpec }: WebAppResource, told: ProgramsTold): WebAppDocuments {
  return {
    namespace,
    name,
    ...(status.url !== undefined && { url: status.url }),
    ...told,
    conditions: status.conditions ?? [],
    problems: status.problems ?? [],
    configuration: configurationText(wholeSpec),
  };
}
