// Pods that somebody deletes, one after the other: what serves and what stands before it.
import { expect, test } from 'vitest';
import { failuresOf, NONE_FAILED, openBoth, whileEachIsLoaded } from './both-shops.ts';
import { deleteOneByOne } from './faults.ts';
import { useRig } from './rig.ts';

const rig = useRig();

test.each(['worker', 'proxy'] as const)('every %s pod is deleted, one after the other', async (component) => {
  const place = await rig().makePlace();
  await openBoth(place);
  const promise = `every ${component} pod is deleted, one after the other`;
  const loads = await whileEachIsLoaded(place, { promise }, async ({ name }) => {
    const count = await deleteOneByOne(place, name, component);
    return `${count} pods`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});
