// The live page of `webapp up` in a real browser: what a person sees, hears and can reach, of a shop under a little load.
// SCREENSHOTS=docs writes them where the documentation shows them.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { type Stack, startStack, until } from './stack.ts';

const CHROMIUM = '/usr/bin/chromium';
const missing = existsSync(CHROMIUM) ? '' : `there is no ${CHROMIUM}: npm run cluster install`;
if (missing !== '' && inject('clusterIsMust')) throw new Error(missing);
if (missing !== '') console.log(`the live page is not looked at: ${missing}`);
const seen = test.skipIf(missing !== '');

const folder = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'live-page-'));
let browser: Browser | undefined;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  // Its sandbox wants rights that containers of CI do not have; it opens our own page only.
  if (missing === '') browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  if (process.env['SCREENSHOTS'] === undefined) rmSync(folder, { recursive: true, force: true });
});

interface Shop extends Stack {
  /** Of the live page. */
  readonly live: string;
}

async function startShop(): Promise<Shop> {
  const stack = await startStack('examples/flask-shop', { app: 'shop:app', workers: { processes: 4 } });
  const live = await until('the address of the live page', () => /live page +(http:\S+)/.exec(stack.output())?.[1]);
  return { ...stack, live };
}

/** Asks now and then until the test ends; also what is slow, and what fails. */
function visit(shop: Shop): void {
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const ask = async (path: string, everyMs: number): Promise<void> => {
    while (!over) {
      await fetch(`${shop.url}${path}`, { signal: AbortSignal.timeout(20_000) }).then(
        (response) => response.arrayBuffer(),
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  void ask('/', 60);
  void ask('/api/goods', 90);
  void ask('/slow?seconds=0.6', 100);
  void ask('/slow?seconds=0.25', 300);
}

/** All that a page must never do: counted from its first moment. */
async function openPage(shop: Shop, path: string, options: BrowserContextOptions = {}) {
  if (browser === undefined) throw new Error('no browser');
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${shop.live}/`)) wrong.push(`asks elsewhere: ${request.url()}`);
  });
  await page.goto(`${shop.live}${path}`);
  return { page, wrong };
}

const WEBAPP = '/live/default/app';

const textOf = (page: Page, selector: string): Promise<string> => page.locator(selector).textContent().then(String);

async function showsTraffic(page: Page): Promise<void> {
  await page.getByText('Users are').first().waitFor({ timeout: 60_000 });
  await page.locator('.plot canvas').first().waitFor({ timeout: 60_000 });
  await page.waitForFunction(() => document.querySelectorAll('.tile[data-state="busy"]').length > 0);
}

seen('a person sees how users fare, every process, and one that is killed within a moment', async () => {
  const shop = await startShop();
  visit(shop);
  const { page, wrong } = await openPage(shop, '/');
  await page.getByRole('link', { name: 'app' }).click();
  await showsTraffic(page);
  expect(await page.locator('.tile').count()).toBe(4);
  expect(await textOf(page, '#verdict')).toMatch(/Users are well served: .* a second, half of them answered within/);
  expect(await textOf(page, '#time-parts')).toMatch(/being served by the application/);

  const busy = await until('a busy process', async () =>
    (await shop.workerStatus()).list.find(({ state }) => state === 'ready'),
  );
  await page.evaluate((pid) => {
    const found = { at: 0 };
    Object.assign(window, { found });
    new MutationObserver(() => {
      const said = [...document.querySelectorAll('.tile .died')].some((one) => one.textContent?.includes(String(pid)));
      if (said && found.at === 0) found.at = Date.now();
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  }, busy.pid);
  const killed = Date.now();
  process.kill(busy.pid, 'SIGKILL');
  await page.waitForFunction(() => (window as unknown as { found: { at: number } }).found.at > 0);
  const shown = await page.evaluate(() => (window as unknown as { found: { at: number } }).found.at);
  console.log(`live page: a killed process is shown after ${shown - killed} ms`);
  expect(await textOf(page, '#workers')).toMatch(/died\b.*SIGKILL/i);
  expect(await textOf(page, '#verdict')).toContain(String(busy.pid));
  await page.waitForFunction(
    () => document.querySelectorAll('.tile:is([data-state=free], [data-state=busy])').length === 4,
  );
  expect(wrong).toEqual([]);
});

seen('a request that failed is there with its id and its cause', async () => {
  const shop = await startShop();
  const { page, wrong } = await openPage(shop, WEBAPP);
  const failed = await fetch(`${shop.url}/slow?seconds=soon`);
  expect(failed.status).toBe(500);
  const id = failed.headers.get('x-request-id') ?? 'none';
  await page.getByText(id).waitFor({ timeout: 60_000 });
  const row = await page.getByRole('row').filter({ hasText: id }).textContent();
  expect(row).toMatch(/GET \/slow/);
  expect(row).toMatch(/The application answered so\./);
  expect(wrong).toEqual([]);
});

seen.each([
  ['light', { width: 1200, height: 1230 }],
  ['dark', { width: 1200, height: 1230 }],
  ['phone', { width: 390, height: 844 }],
] as const)('%s: all is readable, nothing is cut, and it is a picture', async (name, viewport) => {
  const shop = await startShop();
  visit(shop);
  const colorScheme = name === 'dark' ? 'dark' : 'light';
  const { page, wrong } = await openPage(shop, WEBAPP, { viewport, colorScheme, reducedMotion: 'reduce' });
  await showsTraffic(page);
  await fetch(`${shop.url}/slow?seconds=soon`);
  await page.getByRole('row').filter({ hasText: '/slow' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.plot canvas').length === 4);
  // Some seconds of lines; the picture in docs/ has more of them.
  const seconds = process.env['SCREENSHOTS'] === undefined ? 3 : 55;
  await until('a while of samples', async () => (await samplesOf(shop)) >= seconds || undefined);
  if (name === 'dark') await kill(shop, page);
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  expect(await page.evaluate(poorContrasts)).toEqual([]);
  const picture = await page.screenshot({ path: join(folder, `live-page-${name}.png`) });
  expect(picture.length).toBeGreaterThan(20_000);
  expect(wrong).toEqual([]);
});

/** One process, and waits until its place says so. */
async function kill(shop: Shop, page: Page): Promise<void> {
  const [victim] = (await shop.workerStatus()).list;
  process.kill(victim?.pid ?? Number.NaN, 'SIGKILL');
  await page.locator('.tile .died').getByText('SIGKILL').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.tile[data-state="starting"]').length === 0);
}

async function samplesOf(shop: Shop): Promise<number> {
  const view = (await (await fetch(`${shop.live}/live.json/default/app`)).json()) as { samples: unknown[] };
  return view.samples.length;
}

/** Runs in the page. Texts whose colour is too near to what is behind them: WCAG 1.4.3, 4.5:1, and 3:1 of large ones. */
function poorContrasts(): string[] {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const paint = (colours: readonly string[]): number[] => {
    if (canvas === null) throw new Error('no canvas');
    for (const colour of ['white', ...colours]) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb: readonly number[]): number => {
    const [r = 0, g = 0, b = 0] = rgb.map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): string[] =>
    element === null ? [] : [...behind(element.parentElement), getComputedStyle(element).backgroundColor];
  const poor: string[] = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    if (!own || element.closest('.unseen, .skip, noscript') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const back = behind(element);
    const [a, b] = [light(paint(back)), light(paint([...back, style.color]))].sort((x, y) => y - x) as [number, number];
    const ratio = (a + 0.05) / (b + 0.05);
    const large = Number.parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(1)}: ${element.textContent?.slice(0, 40)}`);
  }
  return poor;
}

seen('all of it is reached by the keyboard, in order, and each stop is seen', async () => {
  const shop = await startShop();
  const { page, wrong } = await openPage(shop, WEBAPP);
  await page.getByText('nobody asks').first().waitFor();
  const stops: string[] = [];
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const visible = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
      return { name: element === document.body ? '' : element.id || element.textContent?.trim() || '', visible };
    });
    if (stop.name === '') break;
    stops.push(stop.name);
    expect(stop).toMatchObject({ visible: true });
    if (stop.name.startsWith('In effect')) await page.keyboard.press('Enter');
  }
  expect(stops).toEqual(['Skip to content', 'All WebApps', 'url', 'In effect, with every default', 'configuration']);
  expect(await textOf(page, '#configuration')).toContain('processes: 4');
  await page.keyboard.press('Shift+Tab');
  await page.goto(`${shop.live}${WEBAPP}`);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
  expect(wrong).toEqual([]);
});

seen('a screen reader finds landmarks, headings, lists and words for what is drawn', async () => {
  const shop = await startShop();
  visit(shop);
  const { page } = await openPage(shop, WEBAPP);
  await showsTraffic(page);
  // What changes all the time is read aloud every five seconds at most.
  await page.getByRole('status').filter({ hasText: 'Users are' }).waitFor();
  const tree = await page.locator('body').ariaSnapshot();
  for (const part of [
    /^- banner:/m,
    /^- main:/m,
    /^- contentinfo:/m,
    /navigation "WebApps"/,
    /heading "app" \[level=1\]/,
    /heading "How users fare" \[level=2\]/,
    /heading "Application processes.*" \[level=2\]/,
    /list "Processes":\n(\s+- listitem:[\s\S]*?){4}/,
    /status: "?(Well\. Users are well served|Look\.)/,
    /img "Traffic over the last five minutes\. requests: [\d.]+, at most [\d.]+; errors: 0, at most 0\."/,
    /img "Waiting over the last five minutes\./,
  ])
    expect(tree).toMatch(part);
  expect(await namelessParts(page)).toEqual([]);
});

/** What can be used or is a picture, and has no name. */
async function namelessParts(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  return nodes
    .filter(({ ignored }) => !ignored)
    .filter(({ role }) => ['link', 'button', 'image', 'img', 'region', 'heading'].includes(String(role?.value)))
    .filter(({ name }) => String(name?.value ?? '') === '')
    .map(({ role }) => String(role?.value));
}
