// One call from its first byte to its result, over as many tries as the rules of `again.ts` allow: authenticated, within its time, abortable. Callbacks
// tell it in order; the caller's promise is settled once, whatever comes later.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { KubeError } from '../errors.ts';
import type { Access, ApiRequest } from '../transport.ts';
import { isRepeatable, throttleWaitMs } from './again.ts';
import { apiError } from './api-status.ts';
import type { Pool } from './pool.ts';
import { type Reader, TextReader } from './reader.ts';
import type { RestMetrics } from './rest-metrics.ts';

/** What all exchanges with one server share. */
export interface Line {
  readonly access: Access;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: RestMetrics | undefined;
  readonly userAgent: string;
  /** Those not settled, for `close`. */
  readonly open: Set<{ fail(error: unknown): void }>;
}

export interface Terms {
  /** For the whole call; or, when `idle`, without a byte. */
  readonly timeoutMs: number;
  readonly idle: boolean;
  /** Whether 429 is tried again here. */
  readonly patient: boolean;
}

/** A refusal's text that is read; more is cut. */
const MAX_REFUSAL = 256 * 1024;

/** As client-go: logs of pods are negotiated like objects, and are no JSON. */
const ACCEPT = 'application/json, */*';

type Headers = Readonly<Record<string, string>>;

export class Exchange<T> {
  readonly #line: Line;
  readonly #wanted: ApiRequest;
  readonly #terms: Terms;
  readonly #reader: Reader<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #body: string | undefined;
  readonly #target: string;
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  #wait: NodeJS.Timeout | undefined;
  #request: ClientRequest | undefined;
  #refused: Headers | undefined;
  #sentAt = 0;
  #hasHead = false;
  #hasRepeated = false;
  #isSettled = false;

  constructor(
    line: Line,
    wanted: ApiRequest,
    terms: Terms,
    reader: Reader<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#line = line;
    this.#wanted = wanted;
    this.#terms = terms;
    this.#reader = reader;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#body = wanted.body === undefined ? undefined : JSON.stringify(wanted.body);
    this.#target = targetOf(line.access.server, wanted);
    this.#deadline = line.clock.now() + terms.timeoutMs;
    this.#timer = setTimeout(this.#onTimeout, terms.timeoutMs);
    line.open.add(this);
    wanted.signal?.addEventListener('abort', this.#onAbort);
  }

  start(): void {
    if (this.#wanted.signal?.aborted === true) this.#onAbort();
    else this.#authenticate();
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
    this.#request?.destroy();
  }

  #succeed(value: T): void {
    if (this.#settle()) this.#resolve(value);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#wait);
    this.#line.open.delete(this);
    this.#wanted.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }

  readonly #onAbort = (): void => {
    this.fail(new KubeError('CLOSED', `${this.#what()} was aborted`, { cause: this.#wanted.signal?.reason }));
  };

  /** The connection is most likely half open, and so are its idle neighbours. */
  readonly #onTimeout = (): void => {
    const { timeoutMs, idle } = this.#terms;
    if (this.#request !== undefined && !this.#hasHead) this.#noteUnanswered();
    this.#line.pool.dropIdle();
    this.fail(new KubeError('TIMEOUT', `${this.#what()}: no ${idle ? 'byte' : 'answer'} within ${timeoutMs} ms`));
  };

  #authenticate(): void {
    try {
      const headers = this.#line.access.headers();
      if (headers instanceof Promise) headers.then(this.#send, this.#onCredentials);
      else this.#send(headers);
    } catch (error) {
      this.#onCredentials(error);
    }
  }

  readonly #onCredentials = (error: unknown): void => {
    if (error instanceof KubeError) this.fail(error);
    else this.fail(new KubeError('CREDENTIALS', `credentials: ${textOf(error)}`, { cause: error }));
  };

  readonly #send = (credentials: Headers): void => {
    if (this.#isSettled) return;
    if (this.#refused === credentials) {
      this.fail(new KubeError('API', `${this.#what()}: the API server refuses our credentials`, UNAUTHORIZED));
      return;
    }
    try {
      this.#sentAt = this.#line.clock.now();
      this.#hasHead = false;
      const request = this.#line.pool.request(this.#options(credentials));
      this.#request = request;
      request.on('response', (response) => this.#onResponse(response, credentials));
      request.on('error', (error) => this.#onError(error, request));
      request.end(this.#body);
    } catch (error) {
      this.fail(error);
    }
  };

  /** Headers as a flat list are taken by Node as they are, without a map and checks for each. */
  #options(credentials: Headers): { host: string; port: string; method: string; path: string; headers: string[] } {
    const { server } = this.#line.access;
    const { method, contentType = 'application/json' } = this.#wanted;
    const headers = ['Host', server.host, 'User-Agent', this.#line.userAgent, 'Accept', ACCEPT];
    for (const name in credentials) headers.push(name, credentials[name] ?? '');
    if (this.#body !== undefined)
      headers.push('Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(this.#body)));
    return { host: hostOf(server), port: portOf(server), method, path: this.#target, headers };
  }

  #onResponse(response: IncomingMessage, credentials: Headers): void {
    this.#hasHead = true;
    const status = response.statusCode ?? 0;
    this.#line.metrics?.answered(this.#wanted.method, String(status), this.#seconds());
    response.on('error', (error) => this.#onBroken(error));
    if (status >= 200 && status < 300) this.#read(response, this.#reader, () => this.#succeed(this.#reader.end()));
    else this.#readRefusal(response, status, credentials);
  }

  #read<R>(response: IncomingMessage, reader: Reader<R>, end: () => void): void {
    const { idle } = this.#terms;
    this.#guard(() => reader.open());
    response.on('data', (chunk: Buffer) => {
      if (this.#isSettled) return;
      if (idle) this.#timer.refresh();
      this.#guard(() => reader.chunk(chunk));
    });
    response.on('end', () => {
      // The connection is another call's from here on: a failure must not end it.
      this.#request = undefined;
      if (!this.#isSettled) this.#guard(end);
    });
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  #readRefusal(response: IncomingMessage, status: number, credentials: Headers): void {
    const reader = new TextReader(MAX_REFUSAL);
    this.#read(response, reader, () => this.#onRefusal(status, response.headers, reader.end(), credentials));
  }

  #onRefusal(status: number, headers: IncomingHttpHeaders, body: string, credentials: Headers): void {
    const error = apiError(this.#what(), status, headers, body, this.#line.clock.wall());
    if (status === 401 && this.#refused === undefined) {
      this.#refused = credentials;
      this.#line.access.refused?.(credentials);
      this.#again('401', 0);
      return;
    }
    const left = this.#deadline - this.#line.clock.now();
    const wait = this.#terms.patient ? throttleWaitMs(error, left, Math.random()) : undefined;
    if (wait === undefined) this.fail(error);
    else this.#again(String(status), wait);
  }

  #again(code: string, waitMs: number): void {
    this.#line.metrics?.again(this.#wanted.method, code);
    this.#line.log.debug('request to the API server is sent again', { request: this.#what(), code, waitMs });
    this.#request = undefined;
    if (waitMs === 0) this.#authenticate();
    else this.#wait = setTimeout(() => this.#authenticate(), waitMs);
  }

  /** Before an answer. A kept connection may have died unnoticed: what can be repeated goes once more, on a new one. */
  #onError(error: Error, request: ClientRequest): void {
    if (this.#isSettled || request !== this.#request || this.#hasHead) return;
    this.#noteUnanswered();
    if (request.reusedSocket && !this.#hasRepeated && isRepeatable(this.#wanted)) {
      this.#hasRepeated = true;
      this.#line.pool.dropIdle();
      this.#again('<error>', 0);
      return;
    }
    this.#onBroken(error);
  }

  #onBroken(error: Error & { readonly code?: unknown }): void {
    const isNoHttp = typeof error.code === 'string' && error.code.startsWith('HPE_');
    const code = isNoHttp ? 'INVALID_RESPONSE' : 'NETWORK';
    this.fail(new KubeError(code, `${this.#what()}: ${textOf(error)}`, { cause: error }));
  }

  #noteUnanswered(): void {
    this.#line.metrics?.answered(this.#wanted.method, '<error>', this.#seconds());
  }

  #what(): string {
    return `${this.#wanted.method} ${this.#line.access.server.origin}${this.#wanted.path}`;
  }

  #seconds(): number {
    return (this.#line.clock.now() - this.#sentAt) / 1_000;
  }
}

const UNAUTHORIZED = { status: 401, reason: 'Unauthorized' };

/** @returns path and query; a path of the server's own (a gateway before several clusters) goes first */
function targetOf(server: URL, { path, query }: ApiRequest): string {
  let target = server.pathname === '/' ? path : server.pathname.replace(/\/$/, '') + path;
  let mark = '?';
  for (const name in query) {
    const value = query[name];
    if (value === undefined) continue;
    target += `${mark}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    mark = '&';
  }
  return target;
}

/** `[::1]` is written in brackets in a URL alone. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function portOf({ port, protocol }: URL): string {
  if (port !== '') return port;
  return protocol === 'http:' ? '80' : '443';
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(textOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
