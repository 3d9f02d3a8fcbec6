// For tests: an exchange without a connection. Records what is done to it; the test plays the client.
import { type FaultCode, faultOf } from '../../core/errors.ts';
import type { BodyConsumer, Exchange, Peer, RawHeaders, RequestBody } from '../../http/exchange.ts';

const PEER: Peer = { address: '127.0.0.1', port: 4000, encrypted: false, localAddress: '127.0.0.1', localPort: 80 };

/** A body that the test feeds. */
export class RecordedBody implements RequestBody {
  length: number | null = 0;
  consumer: BodyConsumer | null = null;
  paused = false;
  read(consumer: BodyConsumer): void {
    this.consumer = consumer;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  limit(): void {}
}

export class RecordedExchange implements Exchange {
  method = 'GET';
  target = '/';
  version: '1.0' | '1.1' = '1.1';
  headers: RawHeaders = ['Host', 'test'];
  host = 'test';
  peer = PEER;
  body = new RecordedBody();
  startedAt = 0;
  requestId = '';
  status = 0;
  bytesSent = 0;
  fault: FaultCode | null = null;
  state: Exchange['state'] = 'open';
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  /** What has been done to it, in order. */
  readonly story: string[] = [];
  sentHeaders: RawHeaders = [];
  sentBody = '';
  /** Whether the client keeps up: what `write` returns. */
  keepsUp = true;

  header(name: string): string | undefined {
    const i = this.headers.findIndex((field, index) => index % 2 === 0 && field.toLowerCase() === name);
    return i === -1 ? undefined : this.headers[i + 1];
  }

  inform(status: number): void {
    this.story.push(`inform ${status}`);
  }

  respond(status: number, headers: RawHeaders, body: Buffer | string = ''): void {
    if (this.state !== 'open') return;
    this.answer(`respond ${status}`, status, headers);
    this.sentBody = body.toString();
    this.close('done');
  }

  start(status: number, headers: RawHeaders): void {
    if (this.state !== 'open') return;
    this.answer(`start ${status}`, status, headers);
    this.state = 'responding';
  }

  write(chunk: Buffer): boolean {
    if (this.state !== 'responding') return true;
    this.bytesSent += chunk.length;
    this.sentBody += chunk.toString();
    return this.keepsUp;
  }

  end(): void {
    if (this.state !== 'responding') return;
    this.story.push('end');
    if (this.keepsUp) this.close('done');
    else this.state = 'done';
  }

  abort(): void {
    this.story.push('abort');
    this.close('gone');
  }

  fail(code: FaultCode): void {
    if (this.state === 'done' || this.state === 'gone') return;
    this.fault = code;
    this.story.push(`fail ${code}`);
    if (this.state === 'open') this.status = faultOf(code).status;
    this.close(this.state === 'open' ? 'done' : 'gone');
  }

  /** The client leaves. */
  leave(): void {
    this.close('gone');
  }

  /** The client takes all that was written. */
  drain(): void {
    this.keepsUp = true;
    this.onDrain?.();
    if (this.state === 'done') this.close('done');
  }

  private answer(line: string, status: number, headers: RawHeaders): void {
    this.story.push(line);
    this.status = status;
    this.sentHeaders = headers;
  }

  private close(state: 'done' | 'gone'): void {
    this.state = state;
    const closed = this.onClose;
    this.onClose = null;
    closed?.();
  }
}
