// A steady, open-loop load: requests leave at their time whether or not earlier ones have been answered, so that a stall is
// seen as what it is. Counts every failure and its kind. Used by promises and by nothing in the product.
import { promises as dns, type LookupAddress } from 'node:dns';
import { Agent, request } from 'node:http';
import type { LookupFunction } from 'node:net';

export interface LoadReport {
  sent: number;
  ok: number;
  /** Kind → count: 'status 502', 'ECONNRESET', 'timeout', 'wrong body' … Empty when all went well. */
  failures: Record<string, number>;
  slowestMs: number;
}

export interface LoadOptions {
  readonly url: string;
  readonly perSecond: number;
  /** What a good body holds. */
  readonly expect: string;
  /** A regular expression whose first group is a path: what a good body names must be answered with 200, too, as a page's stylesheet. */
  readonly follow?: string;
  /** Another answer that is as good, such as that of a maintenance page. */
  readonly alsoGood?: { readonly status: number; readonly expect: string };
  /** A request unanswered for so long has failed. */
  readonly timeoutMs?: number;
}

export interface Load {
  /** Stops sending, waits for every answer (or its timeout) and reports. */
  stop(): Promise<LoadReport>;
  readonly report: LoadReport;
}

const TICK_MS = 10;
/** Requests that leave before what has arrived is read once more, when many are overdue. */
const SLICE = 4;

export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 256, lookup: lookUpOnce() });
  const report: LoadReport = { sent: 0, ok: 0, failures: {}, slowestMs: 0 };
  const pending = new Set<Promise<void>>();
  const began = performance.now();

  let next: NodeJS.Immediate | undefined;
  const tick = (): void => {
    const due = Math.floor(((performance.now() - began) / 1000) * options.perSecond);
    for (let slice = 0; report.sent < due && slice < SLICE; slice++) {
      report.sent++;
      const one = sendOne(options, agent, report).finally(() => pending.delete(one));
      pending.add(one);
    }
    if (report.sent < due) next = setImmediate(tick);
  };
  // What has arrived is read first: a connection that was closed while this process had no CPU must not be used once more.
  const timer = setInterval(() => {
    clearImmediate(next);
    next = setImmediate(tick);
  }, TICK_MS);

  return {
    report,
    stop: async () => {
      clearInterval(timer);
      clearImmediate(next);
      await Promise.all(pending);
      agent.destroy();
      return report;
    },
  };
}

/**
 * A Service keeps its address, and its name is not what is tried here: Node looks up four names at a time, so that one answer of DNS that is lost would
 * hold up all connections.
 */
function lookUpOnce(): LookupFunction {
  const known = new Map<string, Promise<LookupAddress[]>>();
  return (name, { all }, callback) => {
    const found = known.get(name) ?? dns.lookup(name, { all: true });
    known.set(name, found);
    found.then(
      (addresses) =>
        all ? callback(null, addresses) : callback(null, addresses[0]?.address ?? '', addresses[0]?.family),
      (error: NodeJS.ErrnoException) => {
        known.delete(name);
        callback(error, '');
      },
    );
  };
}

async function sendOne(options: LoadOptions, agent: Agent, report: LoadReport): Promise<void> {
  const began = performance.now();
  const failure = await visit(options, agent);
  report.slowestMs = Math.max(report.slowestMs, performance.now() - began);
  if (failure === null) report.ok++;
  else report.failures[failure] = (report.failures[failure] ?? 0) + 1;
}

/** @returns null when all was well, else the kind of failure */
async function visit(options: LoadOptions, agent: Agent): Promise<string | null> {
  const page = await ask(options, agent);
  if (page.failure !== null || options.follow === undefined) return page.failure;
  const target = new RegExp(options.follow).exec(page.body)?.[1];
  if (target === undefined) return 'nothing to follow in the body';
  const { failure } = await ask({ ...options, url: new URL(target, options.url).href, expect: '' }, agent);
  return failure === null ? null : `${target}: ${failure}`;
}

interface Answer {
  readonly failure: string | null;
  readonly body: string;
}

function ask({ url, timeoutMs = 30_000, ...good }: LoadOptions, agent: Agent): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (failure: string): void => resolve({ failure, body: '' });
    const outgoing = request(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        clearTimeout(timer);
        const body = Buffer.concat(chunks).toString();
        resolve({ failure: judge(good, response.statusCode, body), body });
      });
      response.on('error', (error: NodeJS.ErrnoException) => failed(`cut: ${error.code ?? error.message}`));
    });
    const timer = setTimeout(() => {
      failed('timeout');
      outgoing.destroy();
    }, timeoutMs);
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      failed(kindOf(error, outgoing.reusedSocket));
    });
    outgoing.end();
  });
}

function judge(
  { expect, alsoGood }: Pick<LoadOptions, 'expect' | 'alsoGood'>,
  status = 0,
  body: string,
): string | null {
  if (status === alsoGood?.status && body.includes(alsoGood.expect)) return null;
  if (status !== 200) return `status ${status}: ${body.slice(0, 80)}`;
  return body.includes(expect) ? null : 'wrong body';
}

/** Where it broke is told, since that says who broke it: as it was made (a listener closed), or one that was kept (closed while idle). */
function kindOf({ code, message, syscall = 'use' }: NodeJS.ErrnoException, wasKept: boolean): string {
  return code === 'ECONNRESET'
    ? `${code} at ${syscall} of a ${wasKept ? 'kept' : 'new'} connection`
    : (code ?? message);
}
