// `kill -9` at every level: an application process, the supervisor above it, the proxy's process, the proxy's container.
import { expect, test } from 'vitest';
import { failuresOf, NONE_FAILED, openBoth, whileEachIsLoaded } from './both-shops.ts';
import { killContainer, killInside, killProcess, proxyStatus } from './faults.ts';
import { SHOPS } from './images.ts';
import { eventually, type Loaded, type Place, useRig } from './rig.ts';

const rig = useRig();

test('an application process in each worker pod', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const promise = 'kill -9 of an application process, in one worker pod after the other';
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    const pods = await place.pods(name, 'worker');
    for (const pod of pods) await killProcess(place, pod.name);
    return `${pods.length} processes`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
  for (const { name } of SHOPS) expect(await restartsOf(place, name, 'worker')).toEqual([0, 0]);
});

test('the supervisor of each worker pod', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const promise = 'kill -9 of the supervisor, in one worker pod after the other';
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    const pods = await place.pods(name, 'worker');
    for (const pod of pods) await killContainer(place, name, 'worker', pod);
    return `${pods.length} supervisors`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

/**
 * Nobody can answer what stood on the connections of a process that was killed: a client sees them reset. What is promised is that it is those and
 * no others: the connections that come meanwhile wait at the socket, which the master above the process holds.
 */
test('the process of each proxy', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const promise = 'kill -9 of the proxy’s process: only what stood on its connections can fail';
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    const pods = await place.pods(name, 'proxy');
    for (const pod of pods) await killProxy(place, pod.name);
    return `${pods.length} proxies; a request that is on a killed process’s connection sees it reset`;
  });
  for (const load of loads) {
    expect(Object.keys(load.failures).filter((kind) => !isReset(kind))).toEqual([]);
    expect(failedOf(load)).toBeLessThanOrEqual(2 * onTheirWay(load));
  }
  for (const { name } of SHOPS) expect(await restartsOf(place, name, 'proxy')).toEqual([0, 0]);
});

/** As above; and until the container is back, or kube-proxy has heard that it is gone, new connections to the pod are refused: nobody in the pod can help. */
test('the container of a proxy', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const promise =
    'kill -9 of all of a proxy’s container: nothing fails but on its connections, and none when it is back';
  const awayMs = new Map<string, number>();
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    const [pod] = await place.pods(name, 'proxy');
    if (pod === undefined) throw new Error(`${name} has no proxy`);
    const began = performance.now();
    await killContainer(place, name, 'proxy', pod);
    awayMs.set(name, performance.now() - began);
    return 'its connections break; new ones are refused until it is back or kube-proxy has heard of it';
  });
  for (const [index, { name }] of SHOPS.entries()) {
    const load = loads[index];
    if (load === undefined) throw new Error(`${name} was not loaded`);
    expect(Object.keys(load.failures).filter((kind) => !isOfConnection(kind))).toEqual([]);
    expect(failedOf(load)).toBeLessThanOrEqual(onTheirWay(load) + sentWithin(awayMs.get(name) ?? 0) / 2);
  }
  const after = await whileEachIsLoaded(place, { promise: `${promise}: after that` }, async () => undefined);
  expect(failuresOf(after)).toEqual(NONE_FAILED);
});

/** As the rig loads. */
const PER_SECOND = 50;

const sentWithin = (ms: number): number => Math.ceil((ms / 1000) * PER_SECOND);
/** Requests that can be on their way at once, by Little's law with the slowest of them. */
const onTheirWay = ({ slowestMs }: Loaded): number => sentWithin(slowestMs);
const isOfConnection = (kind: string): boolean => /^(cut: )?(ECONNRESET|ECONNREFUSED|EPIPE|aborted)\b/.test(kind);
const isReset = (kind: string): boolean => isOfConnection(kind) && !kind.includes('REFUSED');
const failedOf = ({ failures }: Loaded): number => Object.values(failures).reduce((sum, count) => sum + count, 0);

/** Resolves when another process serves in its place. */
async function killProxy(place: Place, pod: string): Promise<void> {
  const { pid } = await proxyStatus(place, pod);
  await killInside(place, pod, 'proxy', pid);
  let now = pid;
  await eventually(
    async () => {
      now = await proxyStatus(place, pod).then(
        (status) => status.pid,
        () => pid,
      );
      return now !== pid;
    },
    () => `the proxy of ${pod} is still process ${now}`,
  );
}

async function restartsOf(place: Place, webApp: string, component: 'worker' | 'proxy'): Promise<number[]> {
  return (await place.pods(webApp, component)).map(({ restarts }) => restarts);
}
