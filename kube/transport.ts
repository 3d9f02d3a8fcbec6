// The one way to the API server: pooled keep-alive connections over node:https, timeouts, 429 with Retry-After, credentials that
// rotate. Knows paths and JSON, not kinds. The Lease gets a Transport of its own, so that it never waits behind other calls.
import type { SecureContextOptions } from 'node:tls';
import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { KubeError } from './errors.ts';
import { Exchange, type Line, type Terms } from './transport/exchange.ts';
import { Pool } from './transport/pool.ts';
import { JsonReader, LineReader, type Reader, TextReader } from './transport/reader.ts';
import { makeRestMetrics } from './transport/rest-metrics.ts';

/** Where the API server is and how one shows who one is. Asked before every request; must be cheap. */
export interface Access {
  /** Such as `https://10.0.0.1:443`; a path it has goes before that of every request. */
  readonly server: URL;
  /** @returns headers that authenticate (Authorization), re-read when they rotate. @throws KubeError CREDENTIALS */
  headers(): Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** @returns the same object until CA or client certificate change: a new one makes new connections. @throws KubeError CREDENTIALS */
  tls(): SecureContextOptions & { servername?: string; rejectUnauthorized?: boolean };
  /** Told that `headers` were answered 401: if they are still those in force, they are to be read anew. Unchanged ones are then the same object. */
  refused?(headers: Readonly<Record<string, string>>): void;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, as `pathOf` makes it. */
  readonly path: string;
  /** `undefined` values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; default `application/json`. Server-side apply: `application/apply-patch+yaml` (JSON is YAML). */
  readonly contentType?: string;
  /** For the whole call, tries again after 429 included. Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
  /** No byte for so long: the socket is half open, the watch ends with TIMEOUT. */
  readonly idleMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told one line of the answer, without its newline. What it throws ends the watch and is thrown from there. */
  readonly onLine: (line: string) => void;
  /** Told once, when the server has answered 200. */
  readonly onOpen?: () => void;
}

export interface Transport {
  /**
   * @returns the answer's JSON. A 429 or 503 with Retry-After is tried again after that wait, within `timeoutMs`.
   * @throws KubeError
   */
  request<T>(request: ApiRequest): Promise<T>;
  /** As `request`, the answer's text as it is (logs of a pod), at most 1 MiB of it. */
  text(request: ApiRequest): Promise<string>;
  /** Resolves when the server ends the stream in order. Lines are bounded (16 MiB). @throws KubeError */
  watch(request: WatchRequest): Promise<void>;
  /** Cuts what is there; every call in flight is rejected with CLOSED. Twice is safe. */
  close(): void;
}

export interface TransportOptions {
  readonly access: Access;
  readonly log: Log;
  readonly clock: Clock;
  /** Connections at most, watches not counted. Default 32. */
  readonly connections?: number;
  /** rest_client_* metrics go here (registered once per registry). */
  readonly registry?: Registry;
  readonly userAgent: string;
}

const CONNECTIONS = 32;
const TIMEOUT_MS = 30_000;

export function makeTransport(options: TransportOptions): Transport {
  const { access, registry, clock, log, userAgent, connections = CONNECTIONS } = options;
  const metrics = registry === undefined ? undefined : makeRestMetrics(registry, access.server.host);
  const calls = new Pool(access, connections, log);
  const watches = new Pool(access, Number.POSITIVE_INFINITY, log);
  const open: Line['open'] = new Set();
  const shared = { access, clock, log, metrics, userAgent, open };
  const callLine: Line = { ...shared, pool: calls };
  const watchLine: Line = { ...shared, pool: watches };
  let isClosed = false;

  const exchange = <T>(line: Line, request: ApiRequest, terms: Terms, reader: Reader<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (isClosed) reject(closed());
      else new Exchange(line, request, terms, reader, resolve, reject).start();
    });
  const call = <T>(request: ApiRequest, reader: Reader<T>): Promise<T> =>
    exchange(callLine, request, { timeoutMs: request.timeoutMs ?? TIMEOUT_MS, idle: false, patient: true }, reader);

  return {
    request: <T>(request: ApiRequest) => call(request, new JsonReader<T>()),
    text: (request) => call(request, new TextReader()),
    watch({ path, query, signal, idleMs, onLine, onOpen }) {
      const terms = { timeoutMs: idleMs, idle: true, patient: false };
      return exchange(watchLine, { method: 'GET', path, query, signal }, terms, new LineReader(onLine, onOpen));
    },
    close() {
      isClosed = true;
      for (const each of open) each.fail(closed());
      calls.close();
      watches.close();
    },
  };
}

const closed = (): KubeError => new KubeError('CLOSED', 'the transport to the API server is closed');
