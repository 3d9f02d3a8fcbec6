// One question to the admin port of a worker or a proxy, and what is kept of its answer. The pod runs somebody's application: its answer is bounded
// and checked.
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { z } from 'zod';
import { type ProxyStatus, proxyStatusSchema } from '../../core/status/proxy.ts';
import { type AppliedConfig, REPLACE_CAUSES, type WorkerStatus, workerStatusSchema } from '../../core/status/worker.ts';

/** Of an answer, in bytes. A list of 256 processes takes a few hundred KiB, as one of 2,000 endpoints. */
const MAX_BODY = 1024 * 1024;
const MAX_HEAD = 8 * 1024;
const TIMEOUT_MS = 2_000;
/** A worker lets nobody wait longer. */
const MAX_WAIT_MS = 60_000;
/** What is kept of one text, in UTF-16 units. */
const MAX_TEXT = 4_096;

/** Deaths that are kept of a worker: as many as make a problem (plan/problems/process-deaths.ts). */
const MAX_FAULTS = 3;
/** Of the message of one that is not the latest. */
const MAX_EARLIER = 512;

/** Every kept report has the same: request counters would fill the memory, and the metrics have them. */
const NO_REQUESTS: WorkerStatus['requests'] = { total: 0, inFlight: 0, byClass: {}, faults: {}, redispatched: 0 };

type Death = WorkerStatus['deaths'][number];

export interface PodAddress {
  readonly ip: string;
  readonly port: number;
}

/** What a worker told last, to be answered when it has something else to tell, or after so long. */
export interface Heard {
  readonly news: string;
  readonly waitMs: number;
}

/**
 * @param heard undefined: it is to answer at once
 * @returns the document without processes and request counters, its deaths cut to the latest three that were faults
 * @throws Error saying what is wrong with the address or the answer
 */
export async function askWorker(address: PodAddress, signal: AbortSignal, heard?: Heard): Promise<WorkerStatus> {
  return cutWorker(await ask(address, workerStatusSchema, signal, heard));
}

/**
 * @returns what tells whether the proxy is in step: its requests and endpoints are the metrics' to tell
 * @throws as askWorker
 */
export async function askProxy(
  address: PodAddress,
  signal: AbortSignal,
): Promise<Pick<ProxyStatus, 'state' | 'config'>> {
  const { state, config } = await ask(address, proxyStatusSchema, signal);
  return { state, config: cutConfig(config) };
}

/** @returns the whole document, for whoever shows it and lets it go @throws as askWorker */
export function readWorker(address: PodAddress, signal: AbortSignal): Promise<WorkerStatus> {
  return ask(address, workerStatusSchema, signal);
}

/** As readWorker. */
export function readProxy(address: PodAddress, signal: AbortSignal): Promise<ProxyStatus> {
  return ask(address, proxyStatusSchema, signal);
}

/**
 * A connection for each question: kept ones would be an open socket for each of 20,000 pods. Who asks with `heard` bounds those.
 * @param signal ends the question
 */
async function ask<T>({ ip, port }: PodAddress, schema: z.ZodType<T>, signal: AbortSignal, heard?: Heard): Promise<T> {
  // A name would be looked up: the address of a pod is never one.
  if (isIP(ip) === 0) throw new Error(`${JSON.stringify(ip.slice(0, 64))} is not an IP address`);
  const waitMs = heard ? Math.min(MAX_WAIT_MS, Math.round(heard.waitMs)) : 0;
  const path = heard ? `/status?unlike=${encodeURIComponent(heard.news)}&waitMs=${waitMs}` : '/status';
  const request = get({ host: ip, port, path, agent: false, maxHeaderSize: MAX_HEAD, signal });
  const timeoutMs = waitMs + TIMEOUT_MS;
  const late = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return parse(schema, await bodyOf(request));
  } finally {
    clearTimeout(late);
    request.destroy();
  }
}

function bodyOf(request: ClientRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      if (response.statusCode !== 200) request.destroy(new Error(`answered ${response.statusCode}`));
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY) request.destroy(new Error(`answered more than ${MAX_BODY} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks)));
    });
  });
}

function parse<T>(schema: z.ZodType<T>, body: Buffer): T {
  const checked = schema.safeParse(JSON.parse(body.toString('utf8')));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new Error(`answered with another document: ${issue?.path.join('.')} ${issue?.message}`);
}

function cutWorker(status: WorkerStatus): WorkerStatus {
  const { deaths } = status;
  const [latest, ...earlier] = deaths.filter(isFault).slice(0, MAX_FAULTS);
  return {
    ...status,
    name: cut(status.name),
    config: cutConfig(status.config),
    requests: NO_REQUESTS,
    list: [],
    deaths: latest ? [cutDeath(latest), ...earlier.map(cutEarlier)] : [],
  };
}

function cutConfig({ hash, appliedAt, error }: AppliedConfig): AppliedConfig {
  return { hash: cut(hash), appliedAt, ...(error !== undefined && { error: cut(error) }) };
}

function isFault({ cause }: Death): boolean {
  return !REPLACE_CAUSES.some((replaced) => replaced === cause);
}

function cutEarlier({ traceback: _, ...death }: Death): Death {
  return cutDeath({ ...death, message: copy(death.message.slice(0, MAX_EARLIER)) });
}

function cutDeath(death: Death): Death {
  const { message, signal, traceback } = death;
  return {
    ...death,
    message: cut(message),
    ...(signal !== undefined && { signal: cut(signal) }),
    // The end of a traceback says what was raised.
    ...(traceback !== undefined && { traceback: copy(traceback.slice(-MAX_TEXT)) }),
  };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : copy(text.slice(0, MAX_TEXT));
}

/** V8 keeps the whole text alive for a part of it. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}
