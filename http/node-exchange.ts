// `Exchange` over Node's request and response: one instance a request, no closure, one write for a whole response. Made by
// front-door.ts, ordered by connection.ts.
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { FaultCode } from '../core/errors.ts';
import { FAULTS } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { Exchange, FaultAnswer, Peer, RawHeaders, RequestBody } from './exchange.ts';
import { faultBody, faultHeaders } from './fault-response.ts';
import type { GuardedRequest } from './guard.ts';
import { NO_BODY, NodeBody } from './node-body.ts';
import type { DoorRequest } from './node-request.ts';
import { copyFields } from './response-fields.ts';

/** A body left unread is taken off the connection up to this size; beyond, the connection is closed. */
const UNREAD_BYTES = 64 * 1024;
/** Up to here copying a body costs less than a second buffer in the write (measured: a tenth less at 100 bytes, more at 4 KiB). */
const ONE_WRITE_BYTES = 1024;

export class NodeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly headers: RawHeaders;
  readonly host: string;
  readonly body: RequestBody;
  /** `body`, when there is one. */
  readonly nodeBody: NodeBody | null;
  readonly startedAt: number;
  requestId = '';
  status = 0;
  bytesSent = 0;
  fault: FaultCode | null = null;
  /** What about the fault, for logs; never sent. */
  faultDetail = '';
  state: 'open' | 'responding' | 'done' | 'gone' = 'open';
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  /** What the guard or a limit has against it. */
  readonly refusal: FaultCode | null;
  readonly refusalDetail: string;
  /** Bytes that Content-Length has promised; -1 when it has not. */
  #declared = -1;
  #expectsContinue: boolean;
  #hearsDrain = false;
  readonly #connection: Connection;
  readonly #request: DoorRequest;
  readonly #response: ServerResponse<DoorRequest>;

  constructor(
    connection: Connection,
    request: DoorRequest,
    response: ServerResponse<DoorRequest>,
    judged: GuardedRequest,
    bodyLimit: number,
  ) {
    this.method = request.method ?? '';
    this.target = judged.target;
    this.version = request.httpVersionMinor === 0 ? '1.0' : '1.1';
    this.headers = judged.headers;
    this.host = judged.host;
    this.startedAt = performance.now();
    this.nodeBody = judged.length === 0 ? null : new NodeBody(this, request, judged.length, bodyLimit);
    this.body = this.nodeBody ?? NO_BODY;
    this.refusal = judged.fault;
    this.refusalDetail = judged.detail;
    this.#expectsContinue = judged.expectsContinue;
    this.#connection = connection;
    this.#request = request;
    this.#response = response;
    request.exchange = this;
    response.on('close', onResponseClose);
  }

  get peer(): Peer {
    return this.#connection.peer;
  }

  header(name: string): string | undefined {
    const { headers } = this;
    for (let i = 0; i < headers.length; i += 2) {
      const found = headers[i];
      if (found !== undefined && found.length === name.length && found.toLowerCase() === name) return headers[i + 1];
    }
    return undefined;
  }

  /** Whether bytes of the request are still to come. */
  get incomplete(): boolean {
    return this.nodeBody !== null && !this.#request.complete;
  }

  inform(status: number, headers: RawHeaders): void {
    if (this.state !== 'open' || this.version === '1.0') return;
    try {
      this.#response.writeInformation(status, headers);
    } catch {
      // Not valid HTTP. It was a hint only.
    }
  }

  countReceived(bytes: number): void {
    this.#connection.door.counters.received += bytes;
  }

  #countSent(bytes: number): void {
    this.bytesSent += bytes;
    this.#connection.door.counters.sent += bytes;
  }

  /** Lets a client that waits for it send its body. */
  sendContinue(): void {
    if (!this.#expectsContinue || this.state !== 'open') return;
    this.#expectsContinue = false;
    this.#response.writeContinue();
  }

  respond(status: number, headers: RawHeaders, body?: Buffer | string): void {
    if (this.state !== 'open') return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const length = bytes === undefined ? 0 : bytes.length;
    if (!this.#sendHead(status, headers, length)) return;
    this.state = 'done';
    if (this.#hasContent) this.#countSent(length);
    this.#endWith(this.#hasContent ? bytes : undefined);
    this.nodeBody?.drop();
  }

  /** A small body as text of its bytes: Node then writes head and body as one, and not as two that the kernel gathers. */
  #endWith(bytes: Buffer | undefined): void {
    if (bytes !== undefined && bytes.length <= ONE_WRITE_BYTES) this.#response.end(bytes.toString('latin1'), 'latin1');
    else this.#response.end(bytes);
  }

  start(status: number, headers: RawHeaders, reason?: string): void {
    if (this.state !== 'open' || !this.#sendHead(status, headers, null, reason)) return;
    this.state = 'responding';
    // The head goes with the first bytes of the body; when none come in this turn, by itself.
    process.nextTick(flushHead, this);
  }

  write(chunk: Buffer): boolean {
    if (this.state !== 'responding' || !this.#hasContent || chunk.length === 0) return true;
    const content = this.#withinDeclared(chunk);
    if (content.length === 0) return true;
    this.#countSent(content.length);
    if (this.#response.write(content)) return true;
    this.#hearDrain();
    return false;
  }

  end(): void {
    if (this.state !== 'responding') return;
    // Fewer bytes than promised: the client must not take what follows for the rest (RFC 9112 §8).
    if (this.#hasContent && this.#declared > this.bytesSent) {
      this.abort();
      return;
    }
    this.state = 'done';
    this.#response.end();
    this.nodeBody?.drop();
  }

  abort(): void {
    if (this.state === 'done' || this.state === 'gone') return;
    this.state = 'gone';
    this.nodeBody?.drop();
    this.#connection.cut(this.#response, this.#endsByClose);
  }

  fail(code: FaultCode, detail = '', answer?: FaultAnswer): void {
    if (this.state === 'done' || this.state === 'gone') return;
    if (this.fault === null) {
      this.fault = code;
      this.faultDetail = detail;
      this.#connection.door.countFault(code);
    }
    // What is left of the body is not waited for: whoever failed has had enough.
    if (this.incomplete) this.#connection.giveUp();
    if (this.state === 'responding') this.abort();
    else if (answer !== undefined) this.respond(FAULTS[code].status, answer.headers, answer.body);
    else this.respond(FAULTS[code].status, faultHeaders(code, this.requestId), faultBody(code, this.requestId));
  }

  /** The response is with the kernel, or the connection is lost. */
  closed(): void {
    if (!this.#response.writableFinished) this.state = 'gone';
    if (this.nodeBody !== null) this.nodeBody.lose();
    const { onClose } = this;
    this.onClose = null;
    this.onDrain = null;
    onClose?.();
    this.#connection.exchangeClosed(this);
  }

  flushHead(): void {
    if (this.state === 'responding' && this.bytesSent === 0) this.#response.flushHeaders();
  }

  #hearDrain(): void {
    if (this.#hearsDrain) return;
    this.#hearsDrain = true;
    this.#response.on('drain', onResponseDrain);
  }

  /** @returns false when the head would not be valid HTTP: the request has been answered so */
  #sendHead(status: number, headers: RawHeaders, length: number | null, reason?: string): boolean {
    this.status = status;
    try {
      if (!(status >= 200 && status <= 999)) throw new RangeError(`${status} is not the status of a response`);
      this.#response.writeHead(status, reason ?? STATUS_CODES[status] ?? '', this.#framed(headers, length));
      return true;
    } catch (error) {
      this.status = 0;
      if (this.fault !== null) this.abort();
      else this.fail('RESPONSE_INVALID', error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /** Whether the response to this request may have content (RFC 9110 §6.4.1). */
  get #hasContent(): boolean {
    return this.method !== 'HEAD' && this.status !== 204 && this.status !== 304;
  }

  /** Content without a length or chunks: only the close says where it ends. */
  get #endsByClose(): boolean {
    return this.version === '1.0' && this.#declared < 0 && this.#hasContent;
  }

  /**
   * `headers` with the framing that this response needs.
   * @param length of the content; null when it comes by `write`
   */
  #framed(headers: RawHeaders, length: number | null): string[] {
    const fields: string[] = [];
    const said = copyFields(headers, fields);
    // Where there is content, its length is known better than said; to HEAD and 304 the handler says what would be.
    const known = this.#hasContent || (this.method === 'HEAD' && said < 0) ? length : null;
    this.#declared = known ?? said;
    if (this.#declared >= 0 && this.status !== 204) fields.push('Content-Length', String(this.#declared));
    this.#pushConnection(fields);
    return fields;
  }

  /** Says what becomes of the connection where the version does not say it already (RFC 9112 §9.3). */
  #pushConnection(fields: string[]): void {
    const connection = this.#connection;
    if (this.#leavesUnread()) connection.giveUp();
    if (connection.takesNoMore || this.#endsByClose || !this.#response.shouldKeepAlive) {
      connection.closing = true;
      fields.push('Connection', 'close');
    } else if (this.version === '1.0') fields.push('Connection', 'keep-alive');
    // Else Node would write it.
    else this.#response.removeHeader('connection');
  }

  /** Whether more of the request may come than is worth taking off the connection. */
  #leavesUnread(): boolean {
    if (!this.incomplete) return false;
    const { length } = this.body;
    return this.#expectsContinue || length === null || length > UNREAD_BYTES;
  }

  #withinDeclared(chunk: Buffer): Buffer {
    if (this.#declared < 0) return chunk;
    const left = this.#declared - this.bytesSent;
    return chunk.length <= left ? chunk : chunk.subarray(0, left);
  }
}

function flushHead(exchange: NodeExchange): void {
  exchange.flushHead();
}

function onResponseClose(this: ServerResponse<DoorRequest>): void {
  this.req.exchange?.closed();
}

function onResponseDrain(this: ServerResponse<DoorRequest>): void {
  this.req.exchange?.onDrain?.();
}
