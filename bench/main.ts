// `npm run bench [-- --rounds 5 --seconds 3 --connections 32 --write]`: ours and its peers side by side, in interleaved rounds
// on this machine, as ratios and as CPU per request of the whole process tree. --write puts the tables into bench/README.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pythonWith } from '../scripts/python-env.ts';
import { measureAccounting } from './accounting.ts';
import {
  type Candidate,
  nginxExpress,
  nginxGunicorn,
  nginxProxy,
  ourProxy,
  ourStack,
  tunedHttpProxy,
  upstream1k,
} from './candidates.ts';
import { cpuMicros, memoryBytes } from './process-tree.ts';
import { measureStartup, type Startup } from './startup.ts';
import { runWrk } from './wrk.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Math.min(50, Number(values.rounds));
const seconds = Math.min(60, Number(values.seconds));
const connections = Math.min(1024, Number(values.connections));

const root = fileURLToPath(new URL('..', import.meta.url));
const python = pythonWith(join(root, 'scripts/test-requirements.txt'));
execFileSync('node', ['scripts/build.ts'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });

interface Row {
  readonly name: string;
  readonly cpuUs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  readonly memory: number;
}

/** All candidates are up for the whole time; each round loads every one in turn, so that a noisy minute hits all. */
async function sideBySide(candidates: readonly Candidate[]): Promise<Row[]> {
  const up = [];
  try {
    for (const candidate of candidates)
      up.push({ candidate, stack: await candidate.start(), samples: [] as Omit<Row, 'name'>[] });
    for (const { stack } of up) await runWrk(stack.url, connections, 1); // warm: compiled, pools filled
    for (let round = 0; round < rounds; round++) {
      for (const { candidate, stack, samples } of up) {
        const before = cpuMicros(stack.pids);
        const result = await runWrk(stack.url, connections, seconds);
        const cpuUs = (cpuMicros(stack.pids) - before) / result.requests;
        samples.push({ ...result, cpuUs, memory: memoryBytes(stack.pids) });
        console.error(
          `round ${round + 1} ${candidate.name}: ${cpuUs.toFixed(0)} µs, ${result.perSecond.toFixed(0)} req/s, ${result.errors} errors`,
        );
      }
    }
    return up.map(({ candidate, samples }) => summary(candidate.name, samples));
  } finally {
    for (const { stack } of up) await stack.stop();
  }
}

/** Medians; errors are the sum of all rounds. */
function summary(name: string, samples: readonly Omit<Row, 'name'>[]): Row {
  const mid = (key: keyof Omit<Row, 'name'>): number => median(samples.map((sample) => sample[key]));
  return {
    name,
    cpuUs: mid('cpuUs'),
    perSecond: mid('perSecond'),
    p50Ms: mid('p50Ms'),
    p99Ms: mid('p99Ms'),
    errors: samples.reduce((sum, sample) => sum + sample.errors, 0),
    memory: mid('memory'),
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The first row is the peer that the others are ratios to. */
function table(title: string, rows: readonly Row[]): string {
  const base = rows[0]?.cpuUs ?? 1;
  const lines = rows.map(
    (row) =>
      `| ${row.name} | ${row.cpuUs.toFixed(0)} | ${(row.cpuUs / base).toFixed(2)} | ${row.perSecond.toFixed(0)} | ${row.p50Ms.toFixed(1)} | ${row.p99Ms.toFixed(1)} | ${mib(row.memory)} | ${row.errors} |`,
  );
  return `### ${title}\n\n| | CPU µs/request | ratio | requests/s | p50 ms | p99 ms | memory MiB (PSS) | errors |\n|---|---|---|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

async function startupTable(): Promise<string> {
  const apps = join(root, 'bench/apps');
  const worker = join(root, 'dist/webapp-worker.mjs');
  const programs: Record<string, (socket: string) => readonly string[]> = {
    'gunicorn hello:app': (socket) => [
      python,
      '-m',
      'gunicorn',
      'hello:app',
      '-b',
      `unix:${socket}`,
      '--no-control-socket',
    ],
    'webapp-worker hello:app': (socket) => [
      process.execPath,
      worker,
      'hello:app',
      '--workers',
      '1',
      '--bind',
      `unix:${socket}`,
    ],
    'webapp-worker hello.js': (socket) => [
      process.execPath,
      worker,
      'hello.js',
      '--workers',
      '1',
      '--bind',
      `unix:${socket}`,
    ],
    'node hello.js': (_socket) => [process.execPath, 'hello.js'],
  };
  const samples = new Map<string, Startup[]>(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < Math.max(3, rounds); round++) {
    for (const [name, command] of Object.entries(programs)) {
      const env = { WEBAPP_PYTHON: python };
      const wrapped = (socket: string): readonly string[] =>
        name === 'node hello.js' ? ['env', `PORT_SOCKET=${socket}`, ...command(socket)] : command(socket);
      samples.get(name)?.push(await measureStartup(wrapped, apps, env));
    }
  }
  const lines = [...samples].map(([name, all]) => {
    const mid = (key: keyof Startup): number => median(all.map((sample) => sample[key]));
    return `| ${name} | ${mid('firstAnswerMs').toFixed(0)} | ${mib(mid('supervisorRss'))} | ${mib(mid('supervisorPss'))} |`;
  });
  return `### Start, one process\n\n| | first answer ms | supervisor RSS MiB | PSS MiB |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** What of a request's CPU goes into counting it. */
function metricsTable(proxyCpuUs: number, stackCpuUs: number): string {
  const { proxyNs, workerNs } = measureAccounting();
  const line = (what: string, ns: number, of: string, cpuUs: number): string =>
    `| ${what} | ${ns.toFixed(0)} | ${of} | ${((ns / 1000 / cpuUs) * 100).toFixed(2)} % |`;
  const lines = [
    line('webapp-proxy', proxyNs, `proxy alone, ${proxyCpuUs.toFixed(0)} µs`, proxyCpuUs),
    line('webapp-proxy + webapp-worker', proxyNs + workerNs, `stack, Express, ${stackCpuUs.toFixed(0)} µs`, stackCpuUs),
  ];
  return `### Metrics, counting one request\n\n| | ns | of | share |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}

const tables = [
  table(
    'Whole stack, Flask hello, 2 processes',
    await sideBySide([
      nginxGunicorn(python, 1),
      nginxGunicorn(python, 4),
      ourStack('webapp-proxy + webapp-worker', 'hello:app', python),
    ]),
  ),
];
const express = await sideBySide([nginxExpress(), ourStack('webapp-proxy + webapp-worker', 'hello.js', python)]);
tables.push(table('Whole stack, Express hello, 2 processes', express));
const upstream = await upstream1k().start();
const upstreamAddress = new URL(upstream.url).host;
const proxies = await sideBySide([
  nginxProxy(upstreamAddress),
  ourProxy(upstreamAddress),
  tunedHttpProxy(upstreamAddress),
]);
await upstream.stop();
tables.push(table('Proxy alone, 1 KB from one upstream', proxies));
tables.push(metricsTable(proxies[1]?.cpuUs ?? Number.NaN, express[1]?.cpuUs ?? Number.NaN));
tables.push(await startupTable());

const versions = [
  `Node ${process.versions.node}`,
  execFileSync(python, ['--version'], { encoding: 'utf8' }).trim(),
  `gunicorn ${execFileSync(python, ['-c', 'import gunicorn; print(gunicorn.__version__)'], { encoding: 'utf8' }).trim()}`,
  execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' }).trim().replace('nginx version: ', ''),
];
const report = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}; ${versions.join(', ')}; ${rounds} interleaved rounds of ${seconds} s, ${connections} connections, medians.\n\n${tables.join('\n')}`;
console.log(report);
if (values.write) writeReport(report);

function writeReport(text: string): void {
  const file = join(root, 'bench/README.md');
  const [before = '', rest = ''] = readFileSync(file, 'utf8').split('<!-- begin measured -->');
  const after = rest.split('<!-- end measured -->')[1] ?? '\n';
  writeFileSync(file, `${before}<!-- begin measured -->\n${text}<!-- end measured -->${after}`);
}
