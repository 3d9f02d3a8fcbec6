// More pods and fewer: by hand, and by a HorizontalPodAutoscaler with the metrics of a real kubelet.
import { expect, test } from 'vitest';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded, whileEachIsLoaded } from './both-shops.ts';
import { untilReady } from './faults.ts';
import { SHOPS } from './images.ts';
import { type Place, useRig } from './rig.ts';

const rig = useRig();

test('kubectl scale: up, and down again', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const steps = [4, 1, 2];
  const promise = `kubectl scale webapp: 2 → ${steps.join(' → ')} pods`;
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    for (const count of steps) {
      await place.kubectlOk('scale', `webapp/${name}`, `--replicas=${count}`);
      await untilReady(place, name, 'worker', count);
    }
    return undefined;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

/** A pod that only waits takes a third of it, one that has all of the load three times as much. */
const AUTOSCALING = { minReplicas: 1, maxReplicas: 3, cpuPercent: 100 };

test('an autoscaler makes more pods when the CPUs are busy', async () => {
  const place = await rig().makePlace();
  await openBoth(place, () => ({ autoscaling: AUTOSCALING }));
  for (const { name } of SHOPS) await untilReady(place, name, 'worker', 1);
  const promise = 'a HorizontalPodAutoscaler goes from 1 to 3 pods by the CPU that requests take';
  const began = performance.now();
  const loads = await whileBothAreLoaded(place, { promise, load: { perSecond: 80 } }, async () => {
    await Promise.all(SHOPS.map(({ name }) => untilReady(place, name, 'worker', AUTOSCALING.maxReplicas)));
    return `after ${Math.round((performance.now() - began) / 1000)} s`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
  for (const { name } of SHOPS) expect(await reasonsOf(place, name)).toMatch(/cpu.*utilization.*above target/);
});

/** What the autoscaler itself says of what it did. */
function reasonsOf(place: Place, webApp: string): Promise<string> {
  const ofAutoscaler = `involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name=${webApp}-worker`;
  return place.kubectlOk('get', 'events', '--field-selector', `${ofAutoscaler},reason=SuccessfulRescale`);
}
