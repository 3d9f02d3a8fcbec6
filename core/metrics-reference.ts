// docs/metrics.md, from the tables that the programs register by: every metric with its kind, labels and meaning.
import { DURATION_BOUNDS_MS } from './durations.ts';
import { FAULTS } from './errors.ts';
import {
  COMMON_LABEL,
  MAX_TOLD_WEBAPPS,
  type Metric,
  OPERATOR_METRICS,
  PROXY_METRICS,
  WORKER_METRICS,
} from './metrics.ts';
import { CAUSE_WORDS } from './status/death-causes.ts';
import { DEATH_CAUSES, type DeathCause, REPLACE_CAUSES } from './status/worker.ts';

export type ProgramName = 'proxy' | 'worker' | 'operator';

/** What is told under names that others have made usual, by how these begin. */
export const STANDARD_FAMILIES: readonly {
  readonly prefix: string;
  readonly programs: readonly ProgramName[];
  readonly meaning: string;
}[] = [
  {
    prefix: 'process_',
    programs: ['proxy', 'worker', 'operator'],
    meaning:
      'The program itself: CPU time, memory, open files, when it was started. Names of the Prometheus client libraries.',
  },
  {
    prefix: 'nodejs_',
    programs: ['proxy', 'worker', 'operator'],
    meaning:
      'Its Node.js: heap, garbage collection, lag of the event loop. Lags include the time between two looks, 50 ms, so that the program takes no CPU while nothing happens.',
  },
  {
    prefix: 'rest_client_',
    programs: ['operator', 'proxy'],
    meaning: 'Calls to the API server. Names of client-go. The proxy: when it finds its workers by EndpointSlices.',
  },
  {
    prefix: 'reflector_',
    programs: ['operator', 'proxy'],
    meaning: 'Lists and watches of the API server. Names of client-go.',
  },
  { prefix: 'workqueue_', programs: ['operator'], meaning: 'The queue of WebApps to look at. Names of client-go.' },
  {
    prefix: 'controller_runtime_',
    programs: ['operator'],
    meaning: 'Passes over WebApps: how many, how they ended, how long they took. Names of controller-runtime.',
  },
  { prefix: 'leader_election_', programs: ['operator'], meaning: 'Whether this replica leads. Name of client-go.' },
];

/** @returns the page, Markdown */
export function makeMetricsReference(): string {
  return `<!-- Written by \`npm run generate\` from core/metrics.ts. -->

# Metrics

Proxy, worker and operator tell them at \`/metrics\` of their admin port, in the text format of Prometheus, and to those who ask for it
(Prometheus does) in OpenMetrics 1.0. Then the buckets of histograms carry the id of the latest trace that fell into them, as exemplar \`trace_id\`.

All metrics of proxy and worker have the label \`${COMMON_LABEL}\`, the name of the WebApp. No label holds anything that a client sent, so their number is bounded.
Counters begin at 0 with the program. An application process that dies or is replaced does not set any back: the worker counts, not the process.

Buckets of all histograms, in seconds: ${DURATION_BOUNDS_MS.map((ms) => ms / 1000).join(', ')}.

## Proxy

${metricRows(PROXY_METRICS)}

## Worker

${metricRows(WORKER_METRICS)}

## Operator

Of WebApps only the replica that leads tells, so that sums over all replicas are right; of the first ${MAX_TOLD_WEBAPPS.toLocaleString('en')} by name. Scrape it with \`honor_labels\`: else the label \`namespace\` becomes \`exported_namespace\`.

${metricRows(OPERATOR_METRICS)}

## Causes

Why application processes end (label \`cause\`). By a fault:

${causeRows(DEATH_CAUSES)}

As it is meant to be:

${causeRows(REPLACE_CAUSES)}

## Codes

What can go wrong with a request (label \`code\`), and what the client is answered. The access log and the status documents use the same codes.

| code | status | answer |
|---|---|---|
${Object.entries(FAULTS)
  .map(([code, { status, message }]) => `| \`${code}\` | ${status} | ${cell(message)} |`)
  .join('\n')}

## Under usual names

| names | of | what |
|---|---|---|
${STANDARD_FAMILIES.map(({ prefix, programs, meaning }) => `| \`${prefix}*\` | ${programs.join(', ')} | ${cell(meaning)} |`).join('\n')}
`;
}

function metricRows(metrics: Readonly<Record<string, Metric>>): string {
  const rows = Object.entries(metrics).map(
    ([name, { type, labels, help }]) => `| \`${name}\` | ${type} | ${labelCell(labels ?? {})} | ${cell(help)} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function labelCell(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, values]) => `\`${name}\`: ${cell(values)}`)
    .join('<br>');
}

function causeRows(causes: readonly DeathCause[]): string {
  const rows = causes.map((cause) => `| \`${cause}\` | ${CAUSE_WORDS[cause]} |`);
  return ['| cause | the process … |', '|---|---|', ...rows].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
