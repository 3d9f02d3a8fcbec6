// `kubectl drain` of one of two nodes, and back.
import { expect, onTestFinished, test } from 'vitest';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { SHOPS } from './images.ts';
import { type Place, useRig } from './rig.ts';

const rig = useRig();

test('a node is drained: pods move one at a time, then all stand on the other', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const node = secondNode(place);
  const before = await podsOn(place, node);
  expect(before.length).toBeGreaterThan(0);
  onTestFinished(async () => {
    await place.kubectlOk('uncordon', node);
  });
  const loads = await whileBothAreLoaded(place, { promise: 'a node is drained (kubectl drain)' }, async () => {
    await drain(place, node);
    for (const { name, first } of SHOPS) await place.serves(name, first);
    return `${before.length} pods moved`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
  expect(await podsOn(place, node)).toEqual([]);
});

function secondNode({ cluster }: Place): string {
  const [, second] = cluster.nodes;
  if (second === undefined) throw new Error(`a drain needs a second node: ${cluster.nodes.join(', ')}`);
  return second;
}

async function podsOn(place: Place, node: string): Promise<string[]> {
  const pods = await Promise.all(SHOPS.map(({ name }) => place.pods(name)));
  return pods.flat().flatMap((pod) => (pod.node === node ? [pod.name] : []));
}

const DRAINS = 5;

/** As a person does it: one that has not ended in time is begun again, and goes on where it was. */
async function drain({ cluster }: Place, node: string): Promise<void> {
  const call = ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=50s'];
  for (let left = DRAINS; ; left--) {
    const { code, stderr } = await cluster.kubectl(call);
    if (code === 0) return;
    if (left === 1) throw new Error(`${node} is not drained: ${stderr}`);
  }
}
