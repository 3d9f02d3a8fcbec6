// A namespace that enforces the pod security standard `restricted`: every pod of a WebApp is admitted there, and one that is careless is not.
import { expect, test } from 'vitest';
import { IMAGES } from '../../scripts/images/images.ts';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { SHOPS } from './images.ts';
import { type Place, useRig } from './rig.ts';

const rig = useRig();

test('worker, proxy and migration are admitted where pod security is restricted', async () => {
  const place = await rig().makePlace();
  const refusal = await runCareless(place);
  expect(refusal).toContain('violates PodSecurity "restricted');
  await openBoth(place, ({ script }) => ({ migrate: { command: script({ python: 'pass', node: '0' }) } }));
  const promise = 'pod security “restricted” is enforced: worker, proxy and migration run, a careless pod is refused';
  const loads = await whileBothAreLoaded(place, { promise, load: { perSecond: 10 } }, async () => {
    expect(await kindsOfPods(place)).toEqual(
      SHOPS.flatMap(({ name }) => ['migrate', 'proxy', 'worker'].map((component) => `${name} ${component}`)).sort(),
    );
    return undefined;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
});

/** @returns what is said to it */
async function runCareless({ cluster, namespace }: Place): Promise<string> {
  const run = ['-n', namespace, 'run', 'careless', `--image=${IMAGES.workerNode.name}`, '--restart=Never'];
  const { code, stderr } = await cluster.kubectl(run);
  expect(code).not.toBe(0);
  return stderr;
}

/** Also those that are done. */
async function kindsOfPods(place: Place): Promise<string[]> {
  const all = await Promise.all(
    SHOPS.map(({ name }) => place.kubectlOk('get', 'pods', '-l', `webapp-operator.io/webapp=${name}`, '-o', COLUMNS)),
  );
  return [...new Set(all.flatMap((lines) => lines.trim().split('\n')))].sort();
}

const COLUMNS =
  'jsonpath={range .items[*]}{.metadata.labels.app\\.kubernetes\\.io/name} {.metadata.labels.app\\.kubernetes\\.io/component}{"\\n"}{end}';
