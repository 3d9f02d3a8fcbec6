// More pods and fewer: by hand, and by a HorizontalPodAutoscaler with the metrics of a real kubelet.
import { expect, test } from 'vitest';
import { quantityOf } from '../../kube/quantity.ts';
import { changeBoth, failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded, whileEachIsLoaded } from './both-shops.ts';
import { untilReady } from './faults.ts';
import { SHOPS } from './images.ts';
import { eventually, type Place, useRig } from './rig.ts';

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

/** Of 50m: a pod that only waits takes a third of it, one that has all of the load two or three times as much. */
const AUTOSCALING = { minReplicas: 1, maxReplicas: 3, cpuPercent: 60 };
const QUIET_CPU = 0.025;

test('an autoscaler makes more pods when the CPUs are busy', async () => {
  const place = await rig().makePlace();
  await openBoth(place, () => ({ replicas: 1 }));
  // Booting is work, too: an autoscaler that was there by then would have scaled for that.
  for (const { name } of SHOPS) await untilQuiet(place, name);
  await changeBoth(place, () => ({ replicas: 1, autoscaling: AUTOSCALING }));
  for (const { name } of SHOPS) await untilContent(place, name);
  const promise = 'a HorizontalPodAutoscaler goes from 1 to 3 pods by the CPU that requests take';
  const began = performance.now();
  const loads = await whileBothAreLoaded(place, { promise, load: { perSecond: 80 } }, async () => {
    await Promise.all(SHOPS.map(({ name }) => untilReady(place, name, 'worker', AUTOSCALING.maxReplicas)));
    return `after ${Math.round((performance.now() - began) / 1000)} s`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
  for (const { name } of SHOPS) expect(await reasonsOf(place, name)).toMatch(/cpu.*utilization.*above target/);
});

interface PodMetrics {
  readonly items: readonly { readonly containers: readonly { readonly usage: { readonly cpu: string } }[] }[];
}

/** Waits until the one worker pod is measured and takes little CPU. */
async function untilQuiet({ cluster, namespace }: Place, webApp: string): Promise<void> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${webApp},app.kubernetes.io/component=worker`);
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods?labelSelector=${selector}`;
  let cpus: number[] = [];
  await eventually(
    async () => {
      const { items } = await cluster.api.json<PodMetrics>('GET', path);
      cpus = items.flatMap(({ containers }) => containers.map(({ usage }) => quantityOf(usage.cpu) ?? Infinity));
      return cpus.length === 1 && cpus.every((cpu) => cpu < QUIET_CPU);
    },
    () => `${webApp} does not come to rest: ${cpus} CPUs`,
    REST_MS,
  );
}

/** Waits until the autoscaler has measured one pod and wants no other. */
async function untilContent(place: Place, webApp: string): Promise<void> {
  const path =
    'jsonpath={.status.desiredReplicas} {.status.currentMetrics[0].containerResource.current.averageUtilization}';
  let seen = '';
  await eventually(
    async () => {
      seen = await place.kubectlOk('get', 'hpa', `${webApp}-worker`, '-o', path);
      return /^1 [0-9]+$/.test(seen);
    },
    () => `the autoscaler of ${webApp} has: ${seen}`,
    REST_MS,
  );
}

const REST_MS = 120_000;

/** What the autoscaler itself says of what it did. */
function reasonsOf(place: Place, webApp: string): Promise<string> {
  const ofAutoscaler = `involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name=${webApp}-worker`;
  return place.kubectlOk('get', 'events', '--field-selector', `${ofAutoscaler},reason=SuccessfulRescale`);
}
