// One JSON line for each request. Whatever a client sent is cut and escaped down to plain ASCII: no line of it can end early,
// forge a field or steer a terminal.
import type { Exchange } from './exchange.ts';
import { LogSink, type LogTarget } from './log-sink.ts';

/** What a line is made of: an exchange, or what stands for one that has left HTTP. */
export type LoggedExchange = Pick<
  Exchange,
  | 'requestId'
  | 'peer'
  | 'method'
  | 'host'
  | 'target'
  | 'status'
  | 'bytesSent'
  | 'startedAt'
  | 'fault'
  | 'faultDetail'
  | 'state'
  | 'header'
>;

export interface AccessLog {
  /**
   * @param now `performance.now()` at the end of the exchange
   * @param upstream address of whoever answered; '' when that was us
   * @param upstreamMs until the head of its response; below 0 when there is none
   * @param traceId of the trace it belongs to; '' when to none
   */
  write(exchange: LoggedExchange, now: number, upstream?: string, upstreamMs?: number, traceId?: string): void;
  /** Lines that were given up because the sink was too slow or failed. */
  readonly dropped: number;
  /** Begins the file anew under its name (logrotate). */
  reopen(): void;
  /** Writes out what is there. Twice is safe. */
  close(): Promise<void>;
}

/**
 * @param onError hears failures to write or reopen
 * @throws the error of opening the file
 */
export function openAccessLog(target: LogTarget | 'off', onError: (error: Error) => void): AccessLog {
  if (target === 'off') return OFF;
  const sink = new LogSink(target);
  sink.onError = onError;
  return {
    write: (exchange, now, upstream = '', upstreamMs = -1, traceId = '') =>
      sink.write(accessLine(exchange, Date.now(), now, upstream, upstreamMs, traceId)),
    get dropped() {
      return sink.dropped;
    },
    reopen: () => sink.reopen(),
    close: () => sink.close(),
  };
}

const OFF: AccessLog = { write: () => {}, dropped: 0, reopen: () => {}, close: async () => {} };

const MAX_TARGET = 4096;
const MAX_FIELD = 512;

/**
 * @param wall milliseconds since the epoch
 * @returns the line with its newline; status 0 and no fault: the client left before an answer
 */
export function accessLine(
  exchange: LoggedExchange,
  wall: number,
  now: number,
  upstream: string,
  upstreamMs: number,
  traceId = '',
): string {
  const { fault, faultDetail = '', requestId } = exchange;
  const agent = exchange.header('user-agent');
  const referer = exchange.header('referer');
  let line = `{"time":"${timestamp(wall)}"`;
  if (requestId !== '') line += `,"id":${quote(requestId, MAX_FIELD)}`;
  if (traceId !== '') line += `,"trace":"${traceId}"`;
  line += `,"peer":"${exchange.peer.address}","method":${quote(exchange.method, MAX_FIELD)}`;
  line += `,"host":${quote(exchange.host, MAX_FIELD)},"target":${quote(exchange.target, MAX_TARGET)}`;
  line += `,"status":${exchange.status},"bytes":${exchange.bytesSent},"ms":${milliseconds(now - exchange.startedAt)}`;
  if (fault !== null) line += `,"fault":"${fault}"`;
  if (faultDetail !== '') line += `,"detail":${quote(faultDetail, MAX_FIELD)}`;
  if (exchange.state === 'gone') line += ',"gone":true';
  if (upstream !== '') line += `,"upstream":${quote(upstream, MAX_FIELD)}`;
  if (upstreamMs >= 0) line += `,"upstreamMs":${milliseconds(upstreamMs)}`;
  if (agent !== undefined) line += `,"agent":${quote(agent, MAX_FIELD)}`;
  if (referer !== undefined) line += `,"referer":${quote(referer, MAX_FIELD)}`;
  return `${line}}\n`;
}

/** Anything but plain ASCII without `"` and `\`. */
const NEEDS_ESCAPE = /[^ !#-[\]-~]/;

/** @returns `text` as a JSON string of ASCII, cut to `max` characters */
export function quote(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max)}...` : text;
  if (!NEEDS_ESCAPE.test(cut)) return `"${cut}"`;
  return JSON.stringify(cut).replace(/[\u007f-\uffff]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function milliseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

let second = -1;
let secondText = '';

/** RFC 3339 in UTC with milliseconds. All but the milliseconds is made once a second. */
function timestamp(wall: number): string {
  const now = Math.floor(wall / 1000);
  if (now !== second) {
    second = now;
    secondText = new Date(now * 1000).toISOString().slice(0, 20);
  }
  const ms = Math.floor(wall % 1000);
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
