// Traces, from the client's header through proxy and worker to the application and to a collector; and a collector that is slow or away
// harms no request.
import { describe, expect, test } from 'vitest';
import { type CollectedSpan, type Collector, openCollector } from '../../tracing/testing/collector.ts';
import { residentBytes, type Stack, startStack, until } from './stack.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${CLIENT}-01`;
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0';
/** Nothing listens there. */
const AWAY = 'http://127.0.0.1:9';
const SERVER = 2;
const INTERNAL = 1;
const FAILED = 2;
/** Nanoseconds by which the clocks of two programs may disagree. */
const PRECISION = 2_000_000n;
/** Nanoseconds: a process may be free a moment after its answer has gone, on a busy machine a long one. */
const AFTERMATH = 200_000_000n;

interface Told {
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly 'x-request-id': string;
}

const FLASK = 'traced:app';
const EXPRESS = 'traced.js';
const specOf = (app: string, tracing?: object): object => ({
  app,
  workers: { processes: 1, threads: 1, queue: { max: 10_000 } },
  proxy: { static: [{ path: '/files', from: '.' }] },
  ...(tracing && { tracing }),
});
const startTraced = (app: string, tracing?: object): Promise<Stack> =>
  startStack('e2e/laptop/apps/traced', specOf(app, tracing));

describe.each([FLASK, EXPRESS])('%s', (app) => {
  test('one trace from the client to the application, as spans that nest and follow the conventions', async () => {
    const collector = await openCollector();
    const stack = await startTraced(app, { endpoint: collector.endpoint, sampling: 1 });

    const told = await ask(stack, '/', { traceparent: SAMPLED, tracestate: 'rojo=1,congo=2' });
    expect(told).toMatchObject({ tracestate: 'rojo=1,congo=2' });
    const [proxy, application] = await spansOf(collector, TRACE, 2);
    expect([proxy.service, application.service]).toEqual(['app-proxy', 'app-worker']);
    expect([proxy.parentSpanId, application.parentSpanId]).toEqual([CLIENT, proxy.spanId]);
    expect(told.traceparent).toBe(`00-${TRACE}-${application.spanId}-01`);
    expectNested(proxy, application);
    for (const span of [proxy, application]) {
      expect(span).toMatchObject({ name: 'GET', kind: SERVER, status: { code: 0 } });
      expect(span.attributes).toMatchObject({
        ...{ 'http.request.method': 'GET', 'url.path': '/', 'url.scheme': 'http', 'http.response.status_code': 200 },
        ...{ 'server.address': '127.0.0.1', 'server.port': stack.port, 'network.protocol.version': '1.1' },
        'webapp.request_id': told['x-request-id'],
      });
      expect(span.attributes).not.toHaveProperty('error.type');
    }
    expect(proxy.attributes['client.address']).toBe('127.0.0.1');

    const exemplars = await until('an exemplar in both programs', async () => {
      const texts = await Promise.all((['proxy', 'worker'] as const).map((of) => stack.metrics(of, OPEN_METRICS)));
      return texts.every((text) => text.includes(`# {trace_id="${TRACE}"}`)) ? texts : undefined;
    });
    expect(exemplars[0]).toMatch(new RegExp(`webapp_proxy_request_seconds_bucket\\{.*trace_id="${TRACE}"`));
    expect(exemplars[1]).toMatch(new RegExp(`webapp_worker_app_seconds_bucket\\{.*trace_id="${TRACE}"`));

    await tracesBeginHere(stack, collector);
    await failuresAreTold(stack, collector);
    await waitingIsTold(stack, collector);

    // What is not sent yet when it ends: it is flushed.
    const last = await ask(stack, '/');
    expect(await stack.stop()).toBe(0);
    expect(named(collector, last)).toHaveLength(2);
  });
});

// What follows is the programs' own affair: one kind of application each.
describe('the collector', () => {
  test('an edit turns it off and on in place, and no request fails', async () => {
    const collector = await openCollector();
    const stack = await startTraced(FLASK, { endpoint: collector.endpoint, sampling: 1 });
    const programs = stack.programs();
    const load = keepAsking(stack);
    stack.edit(specOf(FLASK));
    await until('what the client sent goes on as it came', async () =>
      (await ask(stack, '/', { traceparent: SAMPLED })).traceparent === SAMPLED ? true : undefined,
    );
    expect((await ask(stack, '/')).traceparent).toBeNull();
    const spans = await until('spans that are on their way have come', async () => {
      const before = collector.spans.length;
      await ask(stack, '/');
      return collector.spans.length === before && before > 0 ? before : undefined;
    });
    stack.edit(specOf(FLASK, { endpoint: collector.endpoint, sampling: 1 }));
    await until('spans again', () => (collector.spans.length > spans ? true : undefined));
    expect(await load.stop()).toEqual([]);
    expect(stack.programs()).toEqual(programs);
  });

  test('a collector that hangs, or is away, delays no request; spans are dropped and counted, and memory is bounded', async () => {
    const collector = await openCollector(true);
    const stack = await startTraced(EXPRESS, { endpoint: collector.endpoint, sampling: 1 });
    await askMany(stack, 200);
    await until('the collector is asked by both programs', () => (collector.asked() >= 2 ? true : undefined));
    const before = memoryOf(stack);
    // More than wait for a collector at most, 2,560: what comes then finds no room.
    await askMany(stack, 2_600);
    expect(await dropped(stack, 'proxy')).toBeGreaterThan(0);
    expect(await dropped(stack, 'worker')).toBeGreaterThan(0);
    expect(memoryOf(stack) - before).toBeLessThan(96 * 2 ** 20);

    stack.edit(specOf(EXPRESS, { endpoint: AWAY, sampling: 1 }));
    await until('what waited for the one that hung is given up', async () =>
      (await dropped(stack, 'proxy')) >= 2_600 ? true : undefined,
    );
    await askMany(stack, 100);
    const asked = performance.now();
    expect(await stack.stop()).toBe(0);
    // Not a measurement: a program that waits for its collector does not end before that.
    expect(performance.now() - asked).toBeLessThan(20_000);
    expect(stack.output()).toContain('spans were dropped');
  });
});

async function tracesBeginHere(stack: Stack, collector: Collector): Promise<void> {
  const malformed = await ask(stack, '/', { traceparent: '00-xyz-01', tracestate: 'rojo=1' });
  expect(malformed.tracestate).toBeNull();
  const notSampled = `00-4bf92f3577b34da6a3ce929d0e0e4736-${CLIENT}-00`;
  expect(await ask(stack, '/', { traceparent: notSampled })).toMatchObject({ traceparent: notSampled });
  const after = await ask(stack, '/');
  const [root] = await spansOf(collector, traceIdOf(malformed), 2);
  expect(root.parentSpanId).toBeUndefined();
  await spansOf(collector, traceIdOf(after), 2);
  expect(collector.spans.filter(({ traceId }) => notSampled.includes(traceId))).toEqual([]);
}

async function failuresAreTold(stack: Stack, collector: Collector): Promise<void> {
  const traces = { failing: 'f'.repeat(32), missing: 'e'.repeat(32), file: 'd'.repeat(32) };
  const asking = { failing: '/fail?secret=1', missing: '/nowhere', file: '/files/traced.py' };
  for (const name of ['failing', 'missing', 'file'] as const) {
    const headers = { traceparent: `00-${traces[name]}-${CLIENT}-01` };
    await fetch(`${stack.url}${asking[name]}`, { headers }).then((response) => response.arrayBuffer());
  }
  for (const span of await spansOf(collector, traces.failing, 2)) {
    expect(span.status.code).toBe(FAILED);
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 500,
      'error.type': '500',
      'url.path': '/fail',
    });
    expect(JSON.stringify(span.attributes)).not.toContain('secret');
  }
  for (const span of await spansOf(collector, traces.missing, 2)) {
    expect(span.status.code).toBe(0);
    expect(span.attributes).toMatchObject({ 'http.response.status_code': 404 });
  }
  // The proxy's own: no worker has seen it.
  const [file] = await spansOf(collector, traces.file, 1);
  expect(file.attributes).toMatchObject({ 'url.path': '/files/traced.py', 'http.response.status_code': 200 });
}

/** One process that serves one at a time: the second waits while the first is slow. */
async function waitingIsTold(stack: Stack, collector: Collector): Promise<void> {
  const [first, second] = await Promise.all([ask(stack, '/slow'), ask(stack, '/slow')]);
  const waits = await until('the wait of one of them', () =>
    collector.spans.find(
      ({ name, traceId }) => name === 'worker queue' && [first, second].some((told) => traceIdOf(told) === traceId),
    ),
  );
  const [proxy, application] = await spansOf(collector, waits.traceId, 3);
  expect(waits).toMatchObject({ kind: INTERNAL, parentSpanId: proxy.spanId, status: { code: 0 } });
  expectNested(proxy, waits);
  expectNested(proxy, application);
  expect(application.startTimeUnixNano).toBeGreaterThanOrEqual(waits.endTimeUnixNano - PRECISION);
}

function expectNested(outer: CollectedSpan, inner: CollectedSpan): void {
  expect(inner.startTimeUnixNano).toBeGreaterThanOrEqual(outer.startTimeUnixNano - PRECISION);
  expect(inner.endTimeUnixNano).toBeLessThanOrEqual(outer.endTimeUnixNano + AFTERMATH);
  expect(inner.endTimeUnixNano).toBeGreaterThanOrEqual(inner.startTimeUnixNano);
}

/** @returns the spans of requests first, the proxy's before the worker's */
async function spansOf(collector: Collector, trace: string, number: number): Promise<[CollectedSpan, CollectedSpan]> {
  const found = await until(`${number} spans of trace ${trace}`, () => {
    const spans = collector.spans.filter(({ traceId }) => traceId === trace);
    return spans.length >= number ? spans : undefined;
  });
  expect(found).toHaveLength(number);
  const rank = ({ kind, service }: CollectedSpan): string => `${kind === SERVER ? 0 : 1}${service}`;
  return found.sort((a, b) => rank(a).localeCompare(rank(b))) as [CollectedSpan, CollectedSpan];
}

const named = ({ spans }: Collector, told: Told): CollectedSpan[] =>
  spans.filter(({ traceId, kind }) => kind === SERVER && traceId === traceIdOf(told));

const traceIdOf = ({ traceparent }: Told): string => traceparent?.split('-')[1] ?? '';

async function ask({ url }: Stack, path: string, headers: Record<string, string> = {}): Promise<Told> {
  const response = await fetch(`${url}${path}`, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as Told;
}

/** Sixteen at a time. */
async function askMany(stack: Stack, number: number): Promise<void> {
  let left = number;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) await ask(stack, '/');
    }),
  );
}

function keepAsking(stack: Stack): { stop(): Promise<unknown[]> } {
  const failed: unknown[] = [];
  let goesOn = true;
  const client = async (): Promise<void> => {
    while (goesOn) await ask(stack, '/').catch((error: unknown) => failed.push(error));
  };
  const clients = Promise.all([client(), client()]);
  return {
    stop: async () => {
      goesOn = false;
      await clients;
      return failed;
    },
  };
}

/** Bytes of both programs. */
function memoryOf(stack: Stack): number {
  const { worker, proxy } = stack.programs();
  return residentBytes(worker) + residentBytes(proxy);
}

async function dropped(stack: Stack, program: 'proxy' | 'worker'): Promise<number> {
  const text = await stack.metrics(program);
  return Number(/_spans_total\{outcome="dropped",webapp="app"\} (\d+)/.exec(text)?.[1]);
}
