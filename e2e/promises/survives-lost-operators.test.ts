// Both operators killed in the middle of a rollout: it is finished by those that come after them.
import { expect, test } from 'vitest';
import { changeBoth, failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { SHOPS } from './images.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';
import { condition, type Place, useRig } from './rig.ts';

const rig = useRig();

test('both operators are killed in the middle of a rollout, and it is completed', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const promise = 'both operators are killed while a new image is rolled out';
  const loads = await whileBothAreLoaded(place, { promise }, async () => {
    await changeBoth(place, ({ second }) => ({ image: second }));
    await Promise.all(SHOPS.map(({ name }) => place.settled(name, 'rolling out', isUnderWay)));
    const operators = await killOperators(place);
    await Promise.all(SHOPS.map(({ name, second }) => place.serves(name, second)));
    return `${operators} operators`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

const isUnderWay: Parameters<Place['settled']>[2] = (webApp) => condition(webApp, 'Progressing').startsWith('True/');

/** At once and without notice, and their pods with them: nobody comes back by the same name. */
async function killOperators({ cluster }: Place): Promise<number> {
  const ofOperators = ['-n', OPERATOR_NAMESPACE, 'pods', '-l', 'app.kubernetes.io/component=operator'];
  const deleted = await cluster.kubectlOk(['delete', ...ofOperators, '--force', '--grace-period=0', '-o', 'name']);
  const names = deleted.trim().split('\n');
  expect(names.length).toBe(2);
  return names.length;
}
