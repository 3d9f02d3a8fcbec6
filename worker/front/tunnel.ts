// One connection that asks to leave HTTP: its request head goes to an application process as it came, on a connection of its
// own. Until the application says 101 nothing else of the client goes there; then all bytes pass both ways. A refusal passes
// back as the application gave it and the connection is closed behind it: an answer other than 101 to bytes that were meant for
// another protocol leaves nothing to trust (Envoy's and Pingora's CVEs).
import type { Socket } from 'node:net';
import { type FaultCode, faultOf } from '../../core/errors.ts';
import type { RawHeaders, UpgradeExchange } from '../../http/exchange.ts';
import type { ResponseConsumer } from '../../http/wire/connection.ts';
import { makeRequestHead } from '../../http/wire/request-head.ts';
import { ResponseParser } from '../../http/wire/response-parser.ts';
import type { AppProcess } from '../slot.ts';
import type { Deadlines, Timed } from './deadlines.ts';
import { endToEndHeaders } from './response.ts';

/** What a tunnel tells its owner. */
export interface TunnelEvents {
  /** No connection to `process` came about, so nothing was sent: another may be tried. */
  onLost(process: AppProcess): void;
  /** With this status, once: 101, or the refusal's, the application's or ours, which has a fault. */
  onAnswered(status: number, fault: FaultCode | null): void;
  /** The client's connection is closed. */
  onOver(): void;
}

const HEAD_LIMITS = { headBytes: 64 * 1024, headFields: 256 };
/** Processes tried before the client is told that there is none. */
const MAX_CONNECTS = 3;
/** How long a client may take to read the end, after the application's side is closed. */
const LAST_READ_MS = 30_000;

/** asking: no final answer. refused: an answer other than 101 is being passed back. open: both ways. */
type Phase = 'asking' | 'refused' | 'open' | 'over';

export class Tunnel implements ResponseConsumer, Timed<Tunnel> {
  timedBy: Deadlines<Tunnel> | null = null;
  armedAt = 0;
  earlier: Tunnel | null = null;
  later: Tunnel | null = null;
  private readonly exchange: UpgradeExchange;
  private readonly client: Socket;
  private readonly events: TunnelEvents;
  private readonly parser = new ResponseParser(HEAD_LIMITS);
  private phase: Phase = 'asking';
  private app: Socket | null = null;
  private connects = 0;

  constructor(exchange: UpgradeExchange, events: TunnelEvents) {
    this.exchange = exchange;
    this.client = exchange.socket;
    this.events = events;
    this.client.on('close', () => this.clientClosed());
  }

  /** Asks the application in `process`. */
  connect(process: AppProcess): void {
    const app = this.phase === 'asking' ? process.connect?.() : undefined;
    if (app === undefined) return;
    this.connects++;
    this.app = app;
    process.upgraded++;
    let connected = false;
    app.on('connect', () => {
      connected = true;
    });
    app.on('data', (chunk: Buffer) => this.read(chunk));
    app.on('error', () => {});
    app.on('close', () => {
      process.upgraded--;
      if (this.app === app) this.appClosed(process, connected);
    });
    this.ask(app);
  }

  /** Answers with a fault, where no answer has been given. */
  fail(code: FaultCode): void {
    if (this.phase !== 'asking') return;
    this.phase = 'over';
    this.parser.stop();
    this.app?.destroy();
    this.events.onAnswered(faultOf(code).status, code);
    this.exchange.fail(code);
  }

  private ask(app: Socket): void {
    const { headers, method, target } = this.exchange;
    try {
      const head = makeRequestHead({ method, target, headers: withoutFraming(headers), length: undefined });
      this.parser.begin(method, true, this);
      app.write(head, 'latin1');
    } catch {
      this.fail('INTERNAL');
    }
  }

  private read(chunk: Buffer): void {
    if (this.phase === 'over') return;
    switch (this.parser.feed(chunk, 0, chunk.length)) {
      case 'upgrade':
        this.open(chunk.subarray(this.parser.position));
        break;
      case 'done':
        this.refusalEnds();
        break;
      case 'invalid':
        this.broken('RESPONSE_INVALID');
        break;
    }
  }

  /** 101: from here on the two sockets are each other's. */
  private open(rest: Buffer): void {
    const { app, client } = this;
    if (app === null) return;
    this.phase = 'open';
    this.events.onAnswered(101, null);
    client.write(makeHead(101, 'Switching Protocols', this.parser.headers), 'latin1');
    if (rest.length > 0) client.write(rest);
    if (this.exchange.head.length > 0) app.write(this.exchange.head);
    app.removeAllListeners('data');
    app.pipe(client);
    client.pipe(app);
  }

  // ── the application's answer, when it is no 101 ──

  onInform(status: number, headers: RawHeaders): void {
    this.client.write(makeHead(status, '', headers), 'latin1');
  }

  onHead(status: number, reason: string, headers: RawHeaders): void {
    this.phase = 'refused';
    this.events.onAnswered(status, null);
    this.client.write(makeHead(status, reason, [...endToEndHeaders(headers), 'Connection', 'close']), 'latin1');
  }

  onData(chunk: Buffer): void {
    if (this.client.write(chunk)) return;
    this.app?.pause();
    this.client.once('drain', () => this.app?.resume());
  }

  // Told by http/wire's connections, not by the parser alone.
  onEnd(): void {}
  onError(): void {}

  private refusalEnds(): void {
    this.phase = 'over';
    this.app?.destroy();
    this.finishClient();
  }

  // ── losses ──

  private appClosed(process: AppProcess, connected: boolean): void {
    this.app = null;
    if (this.phase === 'open') this.finishClient();
    else if (this.phase === 'refused' && this.parser.endOfInput()) this.refusalEnds();
    else if (this.phase === 'asking' && !connected && this.connects < MAX_CONNECTS) this.events.onLost(process);
    else this.broken('PROCESS_DIED');
  }

  private broken(code: FaultCode): void {
    this.fail(code);
    this.app?.destroy();
    if (this.phase === 'refused') this.client.destroy();
  }

  /** Lets the client read what is on its way, but not for ever. */
  private finishClient(): void {
    this.phase = 'over';
    this.client.end();
    this.client.resume();
    this.client.setTimeout(LAST_READ_MS, () => this.client.destroy());
  }

  private clientClosed(): void {
    this.phase = 'over';
    this.parser.stop();
    this.app?.destroy();
    this.events.onOver();
  }
}

function makeHead(status: number, reason: string, headers: RawHeaders): string {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** An upgrade has no body; `Content-Length: 0` may be said all the same. */
function withoutFraming(headers: RawHeaders): RawHeaders {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const lower = name.toLowerCase();
    if (lower !== 'content-length' && lower !== 'transfer-encoding') kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
