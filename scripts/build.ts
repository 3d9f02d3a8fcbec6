// `npm run build`: one program each of worker, proxy, operator and cli in dist/, a single file where it is always whole, besides the files that are not
// JavaScript and the entry of Node application processes, which is a program of its own.
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { NODE_FLAGS } from '../cli/run/program-path.ts';
import { PAGE_FILES } from '../live/assets.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Program name in dist/ → its source. */
const PROGRAMS: Readonly<Record<string, string>> = {
  webapp: 'cli/main.ts',
  'webapp-worker': 'worker/main.ts',
  'webapp-proxy': 'proxy/main.ts',
  'webapp-operator': 'operator/main.ts',
  'webapp-node-app': 'worker/runtimes/node-app/main.ts',
};

/** Large, and loaded only outside a cluster: stays in node_modules, so that a pod neither reads nor holds it. */
const LOADED_LATE = ['@kubernetes/client-node'];

/** In parts `NAME.PART.mjs`: its master loads none of what serves requests, which is 20 MiB of memory in each pod. */
const IN_PARTS = ['webapp-proxy'];

rmSync(`${root}dist`, { recursive: true, force: true });
for (const [name, source] of Object.entries(PROGRAMS)) {
  const bundle = await rolldown({ input: `${root}${source}`, platform: 'node', cwd: root, external: [...LOADED_LATE] });
  await bundle.write({
    ...(IN_PARTS.includes(name)
      ? { dir: `${root}dist`, entryFileNames: `${name}.mjs`, chunkFileNames: `${name}.[name].mjs` }
      : { file: `${root}dist/${name}.mjs`, codeSplitting: false }),
    format: 'esm',
    minify: { compress: true, mangle: false },
    banner: ({ isEntry }) => (isEntry ? `#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}` : ''),
  });
  await bundle.close();
  chmodSync(`${root}dist/${name}.mjs`, 0o755);
}
cpSync(`${root}worker/python`, `${root}dist/python`, {
  recursive: true,
  filter: (path) => !/__pycache__|_test\.py$|\.test\.ts$/.test(path),
});
await buildPage();
console.log(`built ${Object.keys(PROGRAMS).join(', ')} into dist/`);

/** Of webapp and webapp-operator: what a browser is given is one script, and files as they are. */
async function buildPage(): Promise<void> {
  const bundle = await rolldown({ input: `${root}live/page/main.ts`, platform: 'browser', cwd: root, tsconfig: false });
  await bundle.write({ file: `${root}dist/live/main.js`, format: 'esm', minify: true });
  await bundle.close();
  for (const file of PAGE_FILES) cpSync(`${root}live/page/${file}`, `${root}dist/live/${file}`);
  cpSync(`${root}node_modules/uplot/dist/uPlot.min.css`, `${root}dist/live/uplot.css`);
}
