// `npm run build`: one program each of worker, proxy, operator and cli in dist/, a single file where it is always whole, besides the files that are not
// JavaScript and the entry of Node application processes, which is a program of its own.
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { NODE_FLAGS } from '../cli/run/program-path.ts';

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
console.log(`built ${Object.keys(PROGRAMS).join(', ')} into dist/`);
