// The page's files: bundled beside the program in dist/, made of their source where that is. The one place that knows both.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
// Whole: an older Node, which runs dist/ only, has no stripTypeScriptTypes to be imported by name.
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly type: string;
  readonly body: string | Buffer;
}

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** Files of page/ that are served as they are. */
export const PAGE_FILES = ['list.html', 'webapp.html', 'page.css', 'icon.svg'] as const;
/** Where the page's program is asked for: parts of it beside, in the source tree. */
const SCRIPT = 'page/main.js';

const bundled = fileURLToPath(new URL('./live/', import.meta.url));
const sources = fileURLToPath(new URL('./', import.meta.url));
const isBundled = existsSync(`${bundled}main.js`);

/** @returns undefined: there is none of that name */
export async function readAsset(name: string): Promise<Asset | undefined> {
  if (PAGE_FILES.some((file) => file === name)) return readPlain(isBundled ? bundled : `${sources}page/`, name);
  if (name === 'uplot.css') return readPlain(isBundled ? bundled : uplot(), isBundled ? name : 'uPlot.min.css');
  if (name === SCRIPT && isBundled) return readPlain(bundled, 'main.js');
  return isBundled ? undefined : readSource(name);
}

async function readPlain(folder: string, name: string): Promise<Asset> {
  const ending = name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES;
  return { type: TYPES[ending], body: await readFile(`${folder}${name}`) };
}

/** In the source tree a browser loads the modules one by one, their types taken out. */
async function readSource(name: string): Promise<Asset | undefined> {
  if (name === 'uplot.js') return readPlain(uplot(), 'uPlot.esm.js');
  const file = name === SCRIPT ? 'page/main.ts' : name;
  if (!/^(page\/[a-z-]+|words)\.ts$/.test(file) || !existsSync(`${sources}${file}`)) return undefined;
  const source = await readFile(`${sources}${file}`, 'utf8');
  const body = nodeModule.stripTypeScriptTypes(source).replace(/ from 'uplot';/, " from '/live.page/uplot.js';");
  return { type: TYPES.js, body };
}

const uplot = (): string =>
  nodeModule
    .createRequire(import.meta.url)
    .resolve('uplot')
    .replace(/[^/]*$/, '');
