// What `kubectl webapp` shows and does on a real cluster, as an administrator and with the rights that Kubernetes' own roles give in a namespace.
import { expect, test } from 'vitest';
import { failuresOf, NONE_FAILED, openBoth, whileEachIsLoaded } from './both-shops.ts';
import { untilReady } from './faults.ts';
import { SHOPS, type Shop } from './images.ts';
import { eventually, isComplete, type Place, secondsOf, uidsOf, useRig } from './rig.ts';
import { kubeconfigOf, type Running, type Said, useTerminal } from './terminal.ts';

const rig = useRig();
const terminalOn = useTerminal();

const ALL_READY = 'Processes: 6 of 6 ready';

type WebAppCommand = (...words: readonly string[]) => Promise<string>;

/** `kubectl webapp … -n NAMESPACE`, which must succeed without a word on stderr. @returns stdout */
function commandIn({ cluster, namespace }: Place): WebAppCommand {
  const terminal = terminalOn(cluster);
  return async (...words) => {
    const { code, stdout, stderr } = await terminal.webApp([...words, '-n', namespace]);
    if (code !== 0 || stderr !== '') throw new Error(`kubectl webapp ${words.join(' ')}: ${code} ${stderr}${stdout}`);
    return stdout;
  };
}

test('status, top and logs show it; resize and restart change it, and no request fails', async () => {
  const place = await rig().makePlace();
  const webApp = commandIn(place);
  await openBoth(place);
  await untilProcesses(place, '6/6');
  const resized = await whileEachIsLoaded(place, { promise: 'kubectl webapp resize: in place' }, async (shop) => {
    await expectShown(place, webApp, shop);
    return resize(place, webApp, shop);
  });
  expect(failuresOf(resized)).toEqual(NONE_FAILED);
  await expectTables(place, webApp);
  const follows = SHOPS.map(({ name }) => followLogs(place, name));
  const promise = { promise: 'kubectl webapp restart: every pod is replaced' };
  const restarted = await whileEachIsLoaded(place, promise, (shop) => restart(place, webApp, shop));
  expect(failuresOf(restarted)).toEqual(NONE_FAILED);
  for (const [index, { name }] of SHOPS.entries()) await expectFollowed(place, name, follows[index] as Running);
});

async function untilProcesses(place: Place, summary: string): Promise<void> {
  for (const { name } of SHOPS)
    await place.settled(name, `${summary} processes`, ({ status }) => status?.workers?.summary === summary);
}

async function expectShown(place: Place, webApp: WebAppCommand, { name, first }: Shop): Promise<void> {
  const table = await webApp('status', name);
  expect(table).toContain(`image ${first}`);
  expect(table).toMatch(/Ready +True +Serving/);
  expect(table).toContain(ALL_READY);
  for (const pod of await place.pods(name)) expect(table).toContain(pod.name);
  expect(table).toMatch(/^Events$/m);
  expect(table).not.toContain('\u001b');
  const json = JSON.parse(await webApp('status', name, '-o', 'json'));
  expect(json).toMatchObject({ kind: 'WebAppSight', resource: { pods: '2/2', processes: '6/6', problems: [] } });
  expect(await webApp('status', name, '-o', 'yaml')).toContain(`namespace: ${place.namespace}`);
  const logs = await webApp('logs', name, '--tail', '20');
  for (const pod of await place.pods(name, 'worker')) expect(logs).toMatch(new RegExp(`^${pod.name} │ `, 'm'));
}

async function resize(place: Place, webApp: WebAppCommand, { name }: Shop): Promise<string> {
  const before = await place.pods(name);
  const seconds = await secondsOf(async () => {
    expect(await webApp('resize', name, '5')).toMatch(new RegExp(`^${name}: workers\\.processes 3 → 5\\. `));
    await place.settled(name, '10 processes', ({ status }) => status?.workers?.summary === '10/10');
  });
  const after = await place.pods(name);
  expect(uidsOf(after)).toEqual(uidsOf(before));
  expect(after.map(({ restarts }) => restarts)).toEqual(before.map(({ restarts }) => restarts));
  return `3 → 5 processes after ${seconds} s, by the same pods`;
}

/** Of all WebApps: printed once where nobody looks, and a table that moves in a terminal, which does not tell its size. */
async function expectTables(place: Place, webApp: WebAppCommand): Promise<void> {
  const sights = JSON.parse(await webApp('top', '-o', 'json'));
  expect(JSON.stringify(sights)).toContain('"processes":"10/10"');
  const top = terminalOn(place.cluster).watch(['webapp', 'top', '-n', place.namespace]);
  const drawn = (): number => top.output().split('NAME').length - 1;
  await eventually(
    () => drawn() >= 2 && SHOPS.every(({ name }) => top.output().includes(name)),
    () => `the table does not move: ${JSON.stringify(top.output().slice(-2_000))}`,
  );
  expect(top.output()).toContain('\u001b[');
  expect(await top.interrupt()).toBe(0);
}

function followLogs({ cluster, namespace }: Place, name: string): Running {
  return terminalOn(cluster).follow(['webapp', 'logs', name, '-f', '--tail', '1', '-n', namespace]);
}

async function restart(place: Place, webApp: WebAppCommand, { name }: Shop): Promise<string> {
  const before = uidsOf(await place.pods(name));
  const seconds = await secondsOf(async () => {
    expect(await webApp('restart', name)).toMatch(/every pod is replaced/);
    await eventually(
      async () => uidsOf(await place.pods(name)).every((uid) => !before.includes(uid)),
      () => `pods of ${name} stay: ${before}`,
      180_000,
    );
    await untilReady(place, name, 'worker', 2);
    await place.settled(name, 'restarted', isComplete);
  });
  return `${before.length} pods replaced after ${seconds} s`;
}

/** Lines of pods that came after it began, each with its pod; Ctrl-C is its end, and no failure. */
async function expectFollowed(place: Place, name: string, follow: Running): Promise<void> {
  const pods = await place.pods(name, 'worker');
  await eventually(
    () => pods.every((pod) => follow.output().includes(`${pod.name} │ `)),
    () => `${pods.map((pod) => pod.name)} are not followed: ${follow.output().slice(-2_000)}`,
  );
  expect(await follow.interrupt()).toBe(0);
}

test('who may view sees and may not change; who may edit may; each is told what is missing', async () => {
  const place = await rig().makePlace();
  const [shop] = SHOPS;
  if (shop === undefined) throw new Error('there is no shop');
  await place.open(shop);
  await place.settled(shop.name, '6/6', ({ status }) => status?.workers?.summary === '6/6');
  const [viewer, editor] = [await kubeconfigOf(place, 'view'), await kubeconfigOf(place, 'edit')];
  const { webApp } = terminalOn(place.cluster);
  const as = (file: string, ...words: string[]): Promise<Said> => webApp([...words, '-n', place.namespace], file);

  const seen = await as(viewer, 'status', shop.name);
  expect(seen).toMatchObject({ code: 0, stderr: '' });
  expect(seen.stdout).toContain('you may not get pods/portforward in this namespace');
  expect(seen.stdout).toContain('The operator tells of 6/6 processes ready.');
  expect(seen.stdout).toMatch(/Ready +True +Serving/);
  expect((await as(viewer, 'logs', shop.name)).code).toBe(0);
  for (const words of [
    ['resize', shop.name, '2'],
    ['restart', shop.name],
  ]) {
    const refused = await as(viewer, ...words);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^✗ you may not do this: .*cannot patch resource "webapps".*\n {2}→ ask whoever/);
  }
  const elsewhere = await webApp(['status', '-A'], editor);
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.stderr).toMatch(/^✗ you may not do this: .*\n {2}→ .*name another namespace with -n/);

  expect((await as(editor, 'status', shop.name)).stdout).toContain(ALL_READY);
  expect(await as(editor, 'resize', shop.name, '2')).toMatchObject({ code: 0, stderr: '' });
  await place.settled(shop.name, '4/4', ({ status }) => status?.workers?.summary === '4/4');
});
