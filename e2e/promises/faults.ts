// What is done to pods in promises, and how a test sees that it has happened.
import type { WorkerStatus } from '../../core/status/worker.ts';
import { PORT } from '../../operator/webapp/names.ts';
import type { PodView } from './pods.ts';
import { eventually, type Place } from './rig.ts';

type Component = 'worker' | 'proxy';

export const CONTAINER = { worker: 'app', proxy: 'proxy' } as const satisfies Record<Component, string>;

/** Two busy cores. */
const PATIENCE_MS = 120_000;

/** Deletes every pod of this kind, the next one when as many serve as before. @returns how many */
export async function deleteOneByOne(place: Place, webApp: string, component: Component): Promise<number> {
  const pods = await place.pods(webApp, component);
  for (const { name } of pods) {
    await place.kubectlOk('delete', 'pod', name);
    await untilReady(place, webApp, component, pods.length);
  }
  return pods.length;
}

/** Waits until exactly so many pods are there and ready. */
export async function untilReady(
  place: Place,
  webApp: string,
  component: Component,
  count: number,
): Promise<PodView[]> {
  let pods: PodView[] = [];
  await eventually(
    async () => {
      pods = await place.pods(webApp, component);
      return pods.length === count && pods.every(({ ready }) => ready);
    },
    () => `${webApp} has not ${count} ready ${component} pods: ${JSON.stringify(pods)}`,
    PATIENCE_MS,
  );
  return pods;
}

/** What the worker tells of itself. */
export async function workerStatus(place: Place, pod: string): Promise<WorkerStatus> {
  return JSON.parse(await askInside(place, pod, 'worker', PORT.workerAdmin)) as WorkerStatus;
}

/** What the proxy tells of itself. */
export async function proxyStatus(place: Place, pod: string): Promise<{ readonly pid: number }> {
  return JSON.parse(await askInside(place, pod, 'proxy', PORT.proxyAdmin)) as { pid: number };
}

/** Asked from inside the container: an enforced NetworkPolicy lets neither the API server's proxy nor a stranger's pod reach the port. */
function askInside(place: Place, pod: string, component: Component, port: number): Promise<string> {
  const code = `fetch('http://127.0.0.1:${port}/status').then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
  return place.kubectlOk('exec', pod, '-c', CONTAINER[component], '--', 'node', '-e', code);
}

/** `kill -9` of a process other than the first, by one in the same container. */
export async function killInside(place: Place, pod: string, component: Component, pid: number): Promise<void> {
  const code = `process.kill(${pid}, 'SIGKILL')`;
  await place.kubectlOk('exec', pod, '-c', CONTAINER[component], '--', 'node', '-e', code);
}

/** Kills an application process. Resolves when its death is told and another one has taken its place. */
export async function killProcess(place: Place, pod: string): Promise<void> {
  const before = await workerStatus(place, pod);
  const victim = before.list.find(({ state }) => state === 'ready');
  if (victim === undefined) throw new Error(`no process of ${pod} is ready: ${JSON.stringify(before)}`);
  await killInside(place, pod, 'worker', victim.pid);
  await untilReplaced(place, pod, victim.pid);
}

/** Waits until this death is told and another process has taken the place. */
export async function untilReplaced(place: Place, pod: string, pid: number): Promise<void> {
  let last: WorkerStatus | undefined;
  await eventually(
    async () => {
      last = await workerStatus(place, pod);
      const { processes, deaths } = last;
      return deaths.some((death) => death.pid === pid) && processes.ready === processes.desired;
    },
    () => `process ${pid} of ${pod} is not replaced: ${JSON.stringify(last)}`,
    PATIENCE_MS,
  );
}

/** Kills process 1 of the container from outside. Resolves when the kubelet has started it again and it is ready. */
export async function killContainer(place: Place, webApp: string, component: Component, pod: PodView): Promise<void> {
  const { cluster, namespace } = place;
  await cluster.killContainer({ namespace, pod: pod.name, container: CONTAINER[component] }, 'SIGKILL');
  await untilRestarted(place, webApp, component, pod);
}

async function untilRestarted(place: Place, webApp: string, component: Component, was: PodView): Promise<void> {
  let now: PodView | undefined;
  await eventually(
    async () => {
      now = (await place.pods(webApp, component)).find(({ uid }) => uid === was.uid);
      return now !== undefined && now.restarts > was.restarts && now.ready;
    },
    () => `${was.name} has not come back: ${JSON.stringify(now)}`,
    PATIENCE_MS,
  );
}
