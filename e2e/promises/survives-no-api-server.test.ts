// A minute without the API server: what serves goes on by what it knows, processes and containers that die come back, and what is asked for
// afterwards is done.
import { expect, onTestFinished, test } from 'vitest';
import { changeBoth, failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { CONTAINER, untilReplaced, workerStatus } from './faults.ts';
import { SHOPS } from './images.ts';
import { eventually, isComplete, type Place, useRig } from './rig.ts';

const rig = useRig();

const AWAY_MS = 60_000;
/**
 * The kubelets' watches come back on their own time, up to half a minute apart, and one that was told to refresh before its own was back does
 * so at its next look at the pod.
 */
const LIVE_WITHIN_MS = 330_000;
/** After the API server has gone. */
const KILL_AFTER_MS = 25_000;

test('the API server is away for a minute, and an application process is killed meanwhile', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  onTestFinished(() => rig().cluster.startApiServer());
  const promise =
    'the API server is down for a minute; an application process is killed meanwhile; then a change is applied';
  const loads = await whileBothAreLoaded(place, { promise }, async () => {
    const victims = await Promise.all(SHOPS.map(({ name }) => killLater(place, name)));
    await place.cluster.stopApiServer();
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await place.cluster.startApiServer();
    const backAt = performance.now();
    for (const { pod, pid } of victims) await untilReplaced(place, pod, pid);
    await changeBoth(place, () => ({ workers: { processes: 4 } }));
    for (const { name } of SHOPS)
      await eventually(
        async () => hasEight(await place.webApp(name)),
        () => `${name} is not at 8 processes`,
        LIVE_WITHIN_MS,
      );
    return `the change is live ${Math.round((performance.now() - backAt) / 1000)} s after it is back`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

const hasEight: Parameters<Place['settled']>[2] = (webApp) =>
  isComplete(webApp) && webApp.status?.workers?.summary === '8/8';

/** Nobody can be told to do it without an API server: something that waits in the container does it. @returns who will be killed */
async function killLater(place: Place, webApp: string): Promise<{ pod: string; pid: number }> {
  const [pod] = await place.pods(webApp, 'worker');
  if (pod === undefined) throw new Error(`${webApp} has no worker`);
  const { list } = await workerStatus(place, pod.name);
  const pid = list[0]?.pid ?? 0;
  expect(pid).toBeGreaterThan(1);
  const kill = `setTimeout(() => process.kill(${pid}, 'SIGKILL'), ${KILL_AFTER_MS})`;
  const leave = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(kill)}], { detached: true, stdio: 'ignore' }).unref()`;
  await place.kubectlOk('exec', pod.name, '-c', CONTAINER.worker, '--', 'node', '-e', leave);
  return { pod: pod.name, pid };
}
