// What tracing costs a request: the tracing path of both programs as they call it, spans on their way to a collector in another process
// included, against the same path without a collector. `node bench/tracing.ts`; CPU of this process, all its threads.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLog } from '../core/log.ts';
import type { Exchange } from '../http/exchange.ts';
import { requestTraceOf, tracing } from '../proxy/handlers/tracing.ts';
import { makeUpstreamHeaders } from '../proxy/message-headers.ts';
import { makeProxySpans } from '../proxy/proxy-spans.ts';
import { Tracer } from '../tracing/tracer.ts';
import { AppTrace, withTraceContext } from '../worker/front/app-trace.ts';
import type { Passage } from '../worker/front/passage.ts';
import type { AppProcess } from '../worker/slot.ts';

const ROUNDS = 7;
const REQUESTS = 51_200;
/** At once, then the collector's turn: as many spans as go out together (`BOUNDS.batch`). */
const BURST = 512;

const SETTINGS = { off: undefined, '0.1': 0.1, '1': 1 } as const;
type Setting = keyof typeof SETTINGS;
type Pass = (tracer: Tracer) => void;

const HEADERS = [
  ...['Host', 'shop.example.com', 'User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0)', 'Accept', '*/*'],
  ...[
    'Accept-Encoding',
    'gzip, deflate, br',
    'Accept-Language',
    'en-GB,en;q=0.8',
    'Cookie',
    `session=${'x'.repeat(64)}`,
  ],
];
const PEER = { address: '10.0.0.7', port: 40_000, localAddress: '10.0.0.1', localPort: 8000, encrypted: false };
const PROCESS = { pid: 4711, place: 1 } as unknown as AppProcess;
const SINK = `
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end('{}'));
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

const passes: Readonly<Record<'proxy' | 'worker', Pass>> = { proxy: passProxy, worker: passWorker };
const sink = spawn(process.execPath, ['-e', SINK], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = await once(sink.stdout, 'data');
const endpoint = `http://127.0.0.1:${String(line).trim()}`;

for (const [program, pass] of Object.entries(passes)) {
  const took: Record<Setting, number[]> = { off: [], '0.1': [], '1': [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const setting of ['off', '0.1', '1'] as const) took[setting].push(await usPerRequest(pass, setting));
  const more = (setting: Setting): string => (median(took[setting]) - median(took.off)).toFixed(1);
  console.log(`| ${program} | ${median(took.off).toFixed(1)} | + ${more('0.1')} | + ${more('1')} |`);
}
sink.kill();

/** Until the collector has taken all. */
async function usPerRequest(pass: Pass, setting: Setting): Promise<number> {
  const log = makeLog(
    (text) => console.error(text),
    () => Date.now(),
  );
  const tracer = new Tracer({ log, program: 'bench', pid: process.pid });
  const ratio = SETTINGS[setting];
  tracer.configure('bench', ratio === undefined ? undefined : { endpoint, ratio });
  const before = process.cpuUsage();
  for (let done = 0; done < REQUESTS; done += BURST) {
    const taken = tracer.counts.sent;
    for (let i = 0; i < BURST; i++) pass(tracer);
    do await sleep(1);
    while (ratio === 1 && tracer.counts.sent + tracer.counts.dropped === taken);
  }
  await tracer.close();
  const { user, system } = process.cpuUsage(before);
  if (tracer.counts.dropped > 0) console.error(`${tracer.counts.dropped} spans were dropped: the figure is too low`);
  return (user + system) / REQUESTS;
}

function passProxy(tracer: Tracer): void {
  const exchange = makeExchange();
  tracing(tracer)(() => {})(exchange);
  const trace = requestTraceOf(exchange);
  makeUpstreamHeaders(exchange.headers, exchange.host, PEER, exchange.requestId, trace);
  if (trace === undefined || trace.spanId === '') return;
  const fared = { address: '10.0.0.2:8001', queuedMs: 0, upstreamMs: 1, sentAt: exchange.startedAt, attempts: 1 };
  for (const span of makeProxySpans(exchange, trace, fared, performance.now(), tracer.epochOffset()))
    tracer.record(span);
}

function passWorker(tracer: Tracer): void {
  if (!tracer.on) return;
  const exchange = makeExchange();
  const trace = tracer.begin(exchange.headers);
  if (trace === null) return;
  withTraceContext(exchange.headers, trace);
  if (trace.spanId === '') return;
  const app = new AppTrace(trace, tracer);
  const now = performance.now();
  const passage = { exchange, request: { scheme: 'http' }, queuedAt: now, handovers: 1 } as unknown as Passage;
  app.left(now);
  app.served(PROCESS, now, performance.now());
  app.finished(passage);
  app.finished(passage);
}

function makeExchange(): Exchange {
  const fields = {
    ...{ method: 'GET', target: '/goods/42?from=list', version: '1.1', host: 'shop.example.com', headers: HEADERS },
    ...{ status: 200, fault: null, requestId: '9f86d081884c7d65', peer: PEER, startedAt: performance.now() },
  };
  return fields as unknown as Exchange;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
