// `npm run generate`: writes what is made from the schema and from the operator's vocabulary. With --check, says which file differs and fails instead.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeReference } from '../core/app/reference.ts';
import { makeMetricsReference } from '../core/metrics-reference.ts';
import { makeMonitoringFiles } from '../monitoring/files.ts';
import { makeRunbookParts, RUNBOOKS } from '../monitoring/runbooks.ts';
import { fillChartReadme, makeChartFiles } from '../operator/install/chart.ts';
import { makeManifestFiles } from '../operator/install/files.ts';
import { fillParts } from '../operator/install/generated-parts.ts';
import { fillGuide } from '../operator/install/guide.ts';
import { toYaml } from '../operator/install/yaml.ts';
import manifest from '../package.json' with { type: 'json' };

const CHART = 'charts/webapp-operator/';
const root = fileURLToPath(new URL('..', import.meta.url));

/** Path from the root → content. */
function makeFiles(): Record<string, string> {
  const manifests = Object.entries(makeManifestFiles(manifest.version));
  const chart = Object.entries(makeChartFiles(manifest.version));
  return {
    ...Object.fromEntries(chart.map(([path, text]) => [`${CHART}${path}`, text])),
    [`${CHART}README.md`]: fillChartReadme(readOrEmpty(`${root}${CHART}README.md`)),
    ...Object.fromEntries(manifests.map(([path, text]) => [`manifests/${path}`, text])),
    'docs/reference.md': makeReference(),
    'docs/metrics.md': makeMetricsReference(),
    'docs/guide-operator.md': fillGuide(readOrEmpty(`${root}docs/guide-operator.md`)),
    ...makeMonitoringFiles((object, header = '') => toYaml([object], header)),
    ...Object.fromEntries(RUNBOOKS.map(fillRunbook)),
  };
}

function fillRunbook(alert: (typeof RUNBOOKS)[number]): [path: string, text: string] {
  const path = `docs/runbooks/${alert}.md`;
  return [path, fillParts(path, readOrEmpty(`${root}${path}`), makeRunbookParts(alert))];
}

const check = process.argv.includes('--check');
for (const [path, wanted] of Object.entries(makeFiles())) {
  const found = readOrEmpty(`${root}${path}`);
  if (wanted === found) continue;
  if (check) {
    console.error(`${path} is not what the code says: run npm run generate`);
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
