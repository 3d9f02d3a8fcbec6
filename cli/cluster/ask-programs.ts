// The status documents of a WebApp's pods, through the API server: by a port-forward, which no NetworkPolicy stops; where none can be opened by the API server's pod
// proxy. Bounded in pods. Pods run somebody's application: what they answer is checked.
import type { z } from 'zod';
import { proxyStatusSchema } from '../../core/status/proxy.ts';
import { workerStatusSchema } from '../../core/status/worker.ts';
import type { PodPort, PodReader } from '../../kube/access/pod-reader.ts';
import { KubeError } from '../../kube/errors.ts';
import { pathOf } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import type { Told, WebAppDocuments } from '../../live/source.ts';
import { ADMIN_PORT, POD } from './kinds.ts';
import type { ClusterPod } from './pods.ts';

export const MAX_WORKERS = 32;
const MAX_PROXIES = 8;
const ANSWER_MS = 5_000;

export type ProgramsTold = Pick<WebAppDocuments, 'workers' | 'proxies' | 'notAsked'>;

/** Two ways to the same port. */
export interface WaysToPods {
  readonly transport: Transport;
  readonly podReader: PodReader;
}

/** Those that are ready come first. */
export async function askPrograms(
  ways: WaysToPods,
  namespace: string,
  pods: readonly ClusterPod[],
): Promise<ProgramsTold> {
  const of = (component: ClusterPod['component']): ClusterPod[] =>
    pods
      .filter((pod) => pod.component === component && pod.isRunning)
      .toSorted((a, b) => Number(b.isReady) - Number(a.isReady) || a.name.localeCompare(b.name));
  const [workers, proxies] = [of('worker'), of('proxy')];
  const notAsked = Math.max(0, workers.length - MAX_WORKERS) + Math.max(0, proxies.length - MAX_PROXIES);
  const [workersTold, proxiesTold] = await Promise.all([
    Promise.all(
      workers
        .slice(0, MAX_WORKERS)
        .map(({ name }) => ask(ways, { namespace, pod: name, port: ADMIN_PORT.worker }, workerStatusSchema)),
    ),
    Promise.all(
      proxies
        .slice(0, MAX_PROXIES)
        .map(({ name }) => ask(ways, { namespace, pod: name, port: ADMIN_PORT.proxy }, proxyStatusSchema)),
    ),
  ]);
  return { workers: workersTold, proxies: proxiesTold, notAsked };
}

async function ask<T>(ways: WaysToPods, from: PodPort, schema: z.ZodType<T>): Promise<Told<T>> {
  const { pod } = from;
  try {
    const parsed = schema.safeParse(await answerOf(ways, from));
    return parsed.success
      ? { place: pod, status: parsed.data }
      : { place: pod, why: 'it answers with another document' };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return { place: pod, why: error.status === 403 ? FORBIDDEN : error.message };
  }
}

/** @throws KubeError of the first way */
async function answerOf({ transport, podReader }: WaysToPods, from: PodPort): Promise<unknown> {
  try {
    return await podReader.get(from, '/status', ANSWER_MS);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code === 'TIMEOUT') throw error;
    const { namespace, pod, port } = from;
    const path = `${pathOf(POD, { namespace, name: pod })}:${port}/proxy/status`;
    return transport.request<unknown>({ method: 'GET', path, timeoutMs: ANSWER_MS }).catch(() => Promise.reject(error));
  }
}

const FORBIDDEN = 'you may not get pods/portforward in this namespace';

/** @returns why nobody answered, and what to do; '' when somebody did, or nobody was asked */
export function silenceOf({ workers }: ProgramsTold): string {
  const [first] = workers;
  if (first === undefined || workers.some(({ status }) => status !== undefined)) return '';
  const mend =
    first.why === FORBIDDEN
      ? 'ask whoever runs the cluster for that right'
      : 'see whether kubectl port-forward reaches them';
  return `The processes cannot be asked through the API server: ${first.why ?? 'no answer'}; ${mend}.`;
}
