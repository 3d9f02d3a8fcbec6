// The places where a person sees how a WebApp of `webapp up` fares: the live page in a real browser, and `webapp status` as text and as JSON. Looked at again and again; what
// is to be told is waited for, whenever each of them tells it.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { type Stack, until } from '../laptop/stack.ts';

export const CHROMIUM = '/usr/bin/chromium';

/** What a person is to read. */
export interface Said {
  readonly words: readonly string[];
  readonly mend: { readonly mend: string; readonly field?: string };
}

export interface Places {
  /** Resolves when each place has told it. @throws Error naming those that have not, and what they tell */
  untilTold(said: Said): Promise<void>;
  close(): Promise<void>;
}

interface Finding {
  readonly text: string;
  readonly mend?: string;
  readonly field?: string;
}

interface Sight {
  readonly picture: {
    readonly verdict: Finding;
    readonly findings: readonly Finding[];
    readonly errors: readonly { readonly text: string }[];
  };
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE_MS = 60_000;
const run = promisify(execFile);

export async function openPlaces(stack: Stack, name: string): Promise<Places> {
  const live = await until('the address of the live page', () => /live page +(http:\S+)/.exec(stack.output())?.[1]);
  // Its sandbox wants rights that containers of CI do not have; it opens our own page only.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const page = await browser.newPage();
  await page.goto(`${live}/live/default/${name}`);
  const status = async (...flags: string[]): Promise<string> =>
    (await run('node', ['cli/main.ts', 'status', name, ...flags], { cwd: ROOT, maxBuffer: 2 ** 24 })).stdout;
  const looks: Readonly<Record<string, (said: Said) => Promise<string>>> = {
    'the live page': async (said) => missingOnPage(page, said),
    'webapp status': async (said) => missingInText(await status(), said),
    'webapp status -o json': async (said) => missingInSight(JSON.parse(await status('-o', 'json')) as Sight, said),
  };
  return {
    untilTold: async (said) => {
      await Promise.all(Object.entries(looks).map(([place, look]) => untilNothingIsMissing(place, () => look(said))));
    },
    close: () => browser.close(),
  };
}

const wantedTexts = ({ words, mend: { mend, field } }: Said): string[] => [
  ...words,
  `${mend}${field === undefined ? '' : ` (${field})`}`,
];

/** @returns '' when it says all of it, where it can be seen */
async function missingOnPage(page: Page, said: Said): Promise<string> {
  const missing: string[] = [];
  for (const one of wantedTexts(said))
    if ((await page.getByText(one).filter({ visible: true }).count()) === 0) missing.push(one);
  return missing.length === 0
    ? ''
    : `${JSON.stringify(missing)} is not on\n${await page.locator('main').ariaSnapshot()}`;
}

/** @returns '' when it says all of it */
function missingInText(text: string, said: Said): string {
  const missing = wantedTexts(said).filter((one) => !text.includes(one));
  return missing.length === 0 ? '' : `${JSON.stringify(missing)} is not in\n${text}`;
}

function missingInSight(
  { picture: { verdict, findings, errors } }: Sight,
  { words, mend: { mend, field } }: Said,
): string {
  const all = [verdict, ...findings];
  const texts = [...all, ...errors].map(({ text }) => text);
  const missing = words.filter((one) => !texts.some((text) => text.includes(one)));
  const isMended = all.some((finding) => finding.mend === mend && finding.field === field);
  if (missing.length === 0 && isMended) return '';
  return `${JSON.stringify([...missing, ...(isMended ? [] : [mend])])} is not in\n${JSON.stringify(all, null, 1)}`;
}

async function untilNothingIsMissing(place: string, look: () => Promise<string>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const missing = await look();
    if (missing === '') return;
    if (performance.now() > deadline) throw new Error(`${place}: ${missing}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
