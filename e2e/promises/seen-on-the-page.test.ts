// The operator's live page by `kubectl port-forward` in a real browser; and a process that is killed, told by the page, the terminal, an event and the status in one
// sentence.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { CAUSE_WORDS, DEATH_MENDS } from '../../core/status/death-causes.ts';
import { failuresOf, NONE_FAILED, openBoth, whileBothAreLoaded } from './both-shops.ts';
import { killProcess, workerStatus } from './faults.ts';
import { SHOPS } from './images.ts';
import { OPERATOR_DEPLOYMENT, OPERATOR_NAMESPACE } from './operator.ts';
import { eventually, type Place, useRig } from './rig.ts';
import { useTerminal } from './terminal.ts';

const CHROMIUM = '/usr/bin/chromium';
const missing = existsSync(CHROMIUM) ? '' : `there is no ${CHROMIUM}: npm run cluster install`;
if (missing !== '' && inject('clusterIsMust')) throw new Error(missing);
if (missing !== '') console.log(`the live page is not looked at: ${missing}`);

const ADMIN_PORT = 9100;
/** As many deaths within minutes are a problem. */
const DEATHS = 3;
const rig = useRig();
const terminalOn = useTerminal();
let browser: Browser | undefined;

beforeAll(async () => {
  // Its sandbox wants rights that containers of CI do not have; it opens our own page only.
  if (missing === '') browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
afterAll(() => browser?.close());

test.skipIf(missing !== '')('both WebApps, and a death in the same words everywhere', async () => {
  const place = await rig().makePlace();
  await openBoth(place);
  const live = await forward(place);
  const page = await openPage(live);
  const promise = 'the live page by port-forward; a killed process is told everywhere in one sentence';
  const loads = await whileBothAreLoaded(place, { promise }, async () => {
    await expectList(place, page);
    for (const { name } of SHOPS) await expectWebApp(place, page, live, name);
    for (const { name } of SHOPS) await expectDeath(place, page, live, name);
    return `${SHOPS.length * DEATHS} processes killed`;
  });
  expect(failuresOf(loads)).toEqual(NONE_FAILED);
  await expectStrangersRefused(place);
});

/** @returns where the page is on this machine */
async function forward({ cluster }: Place): Promise<string> {
  const target = ['-n', OPERATOR_NAMESPACE, 'port-forward', `deploy/${OPERATOR_DEPLOYMENT}`, `:${ADMIN_PORT}`];
  const forwarding = terminalOn(cluster).follow(target);
  let url: string | undefined;
  await eventually(
    () => {
      const port = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(forwarding.output())?.[1];
      url = port && `http://127.0.0.1:${port}`;
      return url !== undefined;
    },
    () => `nothing is forwarded: ${forwarding.output()}`,
  );
  return url ?? '';
}

async function openPage(live: string): Promise<Page> {
  if (browser === undefined) throw new Error('no browser');
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  onTestFinished(() => page.close());
  page.setDefaultTimeout(60_000);
  await page.goto(live);
  return page;
}

async function expectList({ namespace }: Place, page: Page): Promise<void> {
  for (const { name } of SHOPS)
    await page.getByRole('listitem').filter({ hasText: namespace }).getByRole('link', { name }).waitFor();
}

async function expectWebApp(place: Place, page: Page, live: string, name: string): Promise<void> {
  await page.goto(`${live}/live/${place.namespace}/${name}`);
  await page.getByText('Users are').first().waitFor();
  const serving = page.locator('.tile:is([data-state=free], [data-state=busy])');
  await eventually(
    async () => (await serving.count()) === 6,
    () => `${name} has not 6 tiles that serve`,
  );
  for (const { name: pod, ip } of await place.pods(name)) {
    await page.getByText(pod).first().waitFor();
    if (pod.includes('-worker-')) await page.locator('#proxies').getByText(`${ip}:`).first().waitFor();
  }
  expect(await page.locator('#configuration').textContent()).toContain('processes: 3');
}

/** Kills one after the other in one pod: the first is an event, the last a problem. */
async function expectDeath(place: Place, page: Page, live: string, name: string): Promise<void> {
  const { namespace, cluster } = place;
  await page.goto(`${live}/live/${namespace}/${name}`);
  const [pod] = await place.pods(name, 'worker');
  if (pod === undefined) throw new Error(`${name} has no worker`);
  const first = await killOne(place, pod.name);
  expect(first).toContain(CAUSE_WORDS.signal);
  await page.locator('.tile .died').getByText(first).first().waitFor();
  await untilTold(place, name, `ProcessDied ${first}`);
  for (let killed = 1; killed < DEATHS; killed++) await killOne(place, pod.name);
  const told = await place.settled(name, 'at a problem', ({ status }) => status?.problems?.length === 1);
  const [problem] = told.status?.problems ?? [];
  expect(problem).toMatchObject({ type: 'ProcessesDie', ...DEATH_MENDS.signal });
  const [, sentence = 'none'] = /such as: (.*)$/.exec(problem?.message ?? '') ?? [];
  expect(await deathsOf(place, pod.name)).toContain(sentence);
  await page.locator('#deaths').getByText(sentence).first().waitFor();
  await page.getByText(DEATH_MENDS.signal.mend).first().waitFor();
  const { stdout } = await terminalOn(cluster).webApp(['status', name, '-n', namespace]);
  for (const words of [first, sentence, problem?.message ?? '', DEATH_MENDS.signal.mend])
    expect(stdout).toContain(words);
}

/** @returns the worker's sentence */
async function killOne(place: Place, pod: string): Promise<string> {
  const before = await deathsOf(place, pod);
  await killProcess(place, pod);
  const news = (await deathsOf(place, pod)).find((message) => !before.includes(message));
  if (news === undefined) throw new Error(`${pod} tells of no death`);
  return news;
}

async function deathsOf(place: Place, pod: string): Promise<string[]> {
  return (await workerStatus(place, pod)).deaths.map(({ message }) => message);
}

async function untilTold(place: Place, name: string, event: string): Promise<void> {
  const path = '{range .items[*]}{.reason} {.note}{.message}{"\\n"}{end}';
  let events = '';
  await eventually(
    async () => {
      const of = ['--field-selector', `involvedObject.name=${name}`];
      events = await place.kubectlOk('get', 'events', ...of, '-o', `jsonpath=${path}`);
      return events.includes(event);
    },
    () => `${event} is not among ${events}`,
  );
}

/** Through the API server, and by another pod: both come from elsewhere than the pod itself. */
async function expectStrangersRefused(place: Place): Promise<void> {
  const root = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/pods`;
  const { items } = await place.cluster.api.json<{
    items: { metadata: { name: string }; status: { podIP: string } }[];
  }>('GET', root);
  for (const { metadata, status } of items) {
    for (const path of ['/', '/live.json', `/live.json/${place.namespace}/${SHOPS[0]?.name}`]) {
      const answer = await place.cluster.api.call('GET', `${root}/${metadata.name}:${ADMIN_PORT}/proxy${path}`);
      expect(`${answer.status} ${answer.text}`).toMatch(/^403 [\s\S]*kubectl port-forward/);
    }
    const url = `http://${status.podIP}:${ADMIN_PORT}/live.json`;
    const asked = await rig()
      .load.visit({ url })
      .catch((error: Error) => ({ status: 0, text: error.message }));
    // Where NetworkPolicies are enforced, there may be no answer at all.
    expect([403, 0, 502]).toContain(asked.status);
    expect(asked.text).not.toContain(place.namespace);
  }
}
