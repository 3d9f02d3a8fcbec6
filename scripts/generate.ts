// `npm run generate`: writes what is made from the schema. With --check, says which file differs and fails instead.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { makeCrd } from '../core/app/crd.ts';
import { makeReference } from '../core/app/reference.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Path from the root → content. */
const FILES: Readonly<Record<string, () => string>> = {
  'manifests/crd.yaml': () =>
    `# Written by \`npm run generate\` from core/app/schema.ts.\n${stringify(makeCrd(), { lineWidth: 120, aliasDuplicateObjects: false })}`,
  'docs/reference.md': makeReference,
};

const check = process.argv.includes('--check');
for (const [path, make] of Object.entries(FILES)) {
  const wanted = make();
  const found = readOrEmpty(`${root}${path}`);
  if (wanted === found) continue;
  if (check) {
    console.error(`${path} is not what the schema says: run npm run generate`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(`${root}${path}`), { recursive: true });
    writeFileSync(`${root}${path}`, wanted);
    console.log(`wrote ${path}`);
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
