// The logs of a WebApp's pods through the API server: the last lines of all in the order of their time, or all followed at once. Bounded in pods and in bytes.
import { KubeError } from '../../kube/errors.ts';
import { pathOf } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import { Failure } from '../failure.ts';
import type { LogLine, WantedLogs } from '../show/place.ts';
import { plainText } from '../terminal/plain.ts';
import { CONTAINER, POD } from './kinds.ts';
import type { ClusterPod } from './pods.ts';

const MAX_PODS = 32;
/** Of one pod. The API server cuts at the end, so lines are asked for by number, too. */
const MAX_BYTES = 1024 * 1024;
/** A log may rest for long; a connection that is half open ends by this, and is made anew. */
const IDLE_MS = 15 * 60_000;
/** Pods that come are looked for so often while logs are followed. */
const LOOK_MS = 3_000;

export interface LogSource {
  readonly transport: Transport;
  readonly namespace: string;
  readonly name: string;
  /** Of the WebApp. */
  pods(): Promise<ClusterPod[]>;
}

/** @throws KubeError | Failure */
export async function readPodLogs(
  source: LogSource,
  wanted: WantedLogs,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const pods = await podsOf(source, wanted);
  if (pods.length === 0 && !wanted.follow)
    throw new Failure('NOT_RUNNING', 'there is no pod to read logs of', 'webapp status says why');
  if (wanted.follow) await followAll(source, wanted, pods, onLine, signal);
  else await readAll(source, wanted, pods, onLine);
}

async function podsOf({ pods }: LogSource, { from }: WantedLogs): Promise<ClusterPod[]> {
  const all = await pods();
  return all.filter((pod) => from === undefined || originOf(pod) === from).slice(0, MAX_PODS);
}

const originOf = ({ component }: Pick<ClusterPod, 'component'>): LogLine['from'] =>
  component === 'proxy' ? 'proxy' : 'app';

function queryOf({ component }: ClusterPod, { tail, sinceMs }: Pick<WantedLogs, 'tail' | 'sinceMs'>) {
  return {
    container: CONTAINER[component],
    tailLines: tail,
    sinceSeconds: sinceMs === undefined ? undefined : Math.max(1, Math.ceil(sinceMs / 1_000)),
  };
}

async function readAll(
  { transport, namespace, name }: LogSource,
  wanted: WantedLogs,
  pods: readonly ClusterPod[],
  onLine: (line: LogLine) => void,
): Promise<void> {
  const failures: string[] = [];
  const read = await Promise.all(
    pods.map(async (pod) => {
      const path = pathOf(POD, { namespace, name: pod.name, subresource: 'log' });
      const query = { ...queryOf(pod, wanted), timestamps: true, limitBytes: MAX_BYTES };
      try {
        return timedLines(await transport.text({ method: 'GET', path, query }), pod);
      } catch (error) {
        failures.push(whyNot(error));
        return [{ time: '', line: lineOf(pod, `(its log cannot be read: ${whyNot(error)})`) }];
      }
    }),
  );
  const [first] = failures;
  if (first !== undefined && failures.length === pods.length)
    throw new Failure(
      'CLUSTER',
      `no log can be read: ${plainText(first)}`,
      `webapp status ${name} -n ${namespace} shows how the pods are`,
    );
  const lines = read.flat().toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  for (const { line } of lines) onLine(line);
}

interface TimedLine {
  /** RFC 3339 in UTC, which sorts as text. */
  readonly time: string;
  readonly line: LogLine;
}

/** Each line begins with its time and a blank. */
export function timedLines(text: string, pod: Pick<ClusterPod, 'name' | 'component'>): TimedLine[] {
  let last = '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, time = last, said = line] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/s.exec(line) ?? [];
      last = time;
      return { time, line: lineOf(pod, said) };
    });
}

/** A pod that is starting has no log yet, which says nothing of the others. @throws what says something of all */
function whyNot(error: unknown): string {
  if (!(error instanceof KubeError) || error.status === 403 || error.status === 401 || error.status === 0) throw error;
  return error.message;
}

const lineOf = (pod: Pick<ClusterPod, 'name' | 'component'>, text: string): LogLine => ({
  place: pod.name,
  from: originOf(pod),
  text,
});

async function followAll(
  source: LogSource,
  wanted: WantedLogs,
  first: readonly ClusterPod[],
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const followed = new Set<string>();
  const failures: unknown[] = [];
  const begin = (pods: readonly ClusterPod[], from: Pick<WantedLogs, 'tail' | 'sinceMs'>): void => {
    for (const pod of pods
      .filter(({ name, isRunning }) => isRunning && !followed.has(name))
      .slice(0, MAX_PODS - followed.size)) {
      followed.add(pod.name);
      void follow(source, pod, from, onLine, signal)
        .catch((error: unknown) => failures.push(error))
        .finally(() => followed.delete(pod.name));
    }
  };
  begin(first, wanted);
  while (!signal.aborted && failures.length === 0) {
    await untilAborted(signal, LOOK_MS);
    // One that comes is told of whole; one that broke goes on.
    if (!signal.aborted) begin(await podsOf(source, wanted), { tail: 1_000, sinceMs: LOOK_MS + 2_000 });
  }
  if (failures.length > 0 && !signal.aborted) throw failures[0];
}

async function follow(
  { transport, namespace }: LogSource,
  pod: ClusterPod,
  from: Pick<WantedLogs, 'tail' | 'sinceMs'>,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = pathOf(POD, { namespace, name: pod.name, subresource: 'log' });
  const query = { ...queryOf(pod, from), follow: true };
  const tell = (text: string): void => onLine(lineOf(pod, text));
  try {
    await transport.watch({ path, query, idleMs: IDLE_MS, signal, onLine: tell });
  } catch (error) {
    const isDenied = error instanceof KubeError && (error.status === 401 || error.status === 403);
    if (!(error instanceof KubeError) || isDenied) throw error;
    if (!signal.aborted && error.status !== 404 && error.status !== 0)
      tell(`(its log cannot be read: ${error.message})`);
  }
}

function untilAborted(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
