// One request on its way through the worker: waiting for a slot, in an application process, its response going back. Tells the
// client what the slot tells (`SlotConsumer`), and keeps apart the client's lag, the client's loss, the application's silence and
// the process's death: whatever comes, the slot is released once and the client answered once. Which process gets the request,
// and when it has waited too long, is the dispatcher's business.
import type { FaultCode } from '../../core/errors.ts';
import type { Exchange, RawHeaders } from '../../http/exchange.ts';
import type { AppProcess, Slot, SlotConsumer } from '../slot.ts';
import type { AppTrace } from './app-trace.ts';
import type { Deadlines } from './deadlines.ts';
import type { Dispatcher } from './dispatch.ts';
import type { Queued } from './queue.ts';
import type { IncomingRequest } from './request.ts';
import { cleanReason, contentLength, endToEndHeaders, isEventStream, isFinalStatus } from './response.ts';
import { isIdempotent, mayHandAgain, mayHaveBegun } from './retry.ts';

/**
 * waiting: no slot. sent: a slot has it, no head has come. responding: the head has gone to the client. forsaken: the client is
 * gone or answered, but the slot is still to come back. over: nothing is held.
 */
type Phase = 'waiting' | 'sent' | 'responding' | 'forsaken' | 'over';

export class Passage implements SlotConsumer, Queued<Passage> {
  readonly exchange: Exchange;
  readonly request: IncomingRequest;
  private readonly dispatcher: Dispatcher;
  private phase: Phase = 'waiting';
  process: AppProcess | null = null;
  slot: Slot | null = null;
  /** `Clock.now()` of the last hand-over. */
  sentAt = 0;
  handovers = 0;
  /** Null: no spans are made of it. */
  trace: AppTrace | null = null;
  private lostRuns = 0;
  private accepted = false;
  /** A 1xx has gone to the client. */
  private informed = false;
  /** Bytes that a begun response will have; -1 when that is not known. */
  private promisedBytes = -1;
  /** The application may be silent for as long as it likes: server-sent events. */
  private maySleep = false;
  /** Bytes written since the client last kept up: what waits here for it, at most. */
  private aheadBytes = 0;
  /** The slot is paused until the client has caught up. */
  private held = false;
  // Links of the queue and of the deadlines.
  queued = false;
  queuedAt = 0;
  before: Passage | null = null;
  behind: Passage | null = null;
  timedBy: Deadlines<Passage> | null = null;
  armedAt = 0;
  earlier: Passage | null = null;
  later: Passage | null = null;

  constructor(exchange: Exchange, request: IncomingRequest, dispatcher: Dispatcher) {
    this.exchange = exchange;
    this.request = request;
    this.dispatcher = dispatcher;
  }

  // ── what the dispatcher tells ──

  /** A slot has been found; `process` and `slot` are set. Does not throw. */
  send(slot: Slot, now: number): void {
    this.phase = 'sent';
    this.sentAt = now;
    this.handovers++;
    this.accepted = false;
    try {
      slot.send(this.request, this);
    } catch (error) {
      // An error of ours: this request is lost, its process and the others are not.
      if (this.phase === 'sent') this.forsakeFor('INTERNAL', 'unsendable', messageOf(error));
    }
  }

  /** No slot was found, or the process that had it is gone. */
  refuse(code: FaultCode): void {
    this.leave();
    this.exchange.fail(code);
  }

  /** Nothing has come from the application for too long. */
  expired(): void {
    if (this.phase === 'forsaken') {
      this.dispatcher.blame(this);
      return;
    }
    // The head has gone: no 504 is left, and the process is not proven to hang, since an event loop may serve others well beside
    // one silent stream. It is proven when the slot does not come back after `cancel`.
    if (this.phase === 'responding') this.dispatcher.armGrace(this);
    else this.dispatcher.blame(this);
    const whole = this.isWhole;
    this.phase = 'forsaken';
    this.finish(whole, 'REQUEST_TIMEOUT');
    this.slot?.cancel();
  }

  /** Nothing is held any more, and nothing more is said to the client. */
  leave(): void {
    this.phase = 'over';
    this.dispatcher.forget(this);
  }

  // ── what the client does ──

  /** The exchange is closed: answered in full, or the client has left. */
  closed(): void {
    if (this.phase === 'waiting') {
      this.dispatcher.withdraw(this);
      this.leave();
    } else if (this.phase === 'sent' || this.phase === 'responding') this.forsake();
  }

  /** The client has caught up. */
  private drained(): void {
    this.aheadBytes = 0;
    if (!this.held || this.phase !== 'responding') return;
    if (!this.maySleep) this.dispatcher.touch(this);
    this.unhold();
  }

  // ── what the slot tells ──

  onAccepted(): void {
    this.accepted = true;
  }

  onInform(status: number, headers: RawHeaders): void {
    if (this.phase !== 'sent') return;
    this.informed = true;
    this.dispatcher.touch(this);
    try {
      this.exchange.inform(status, endToEndHeaders(headers));
    } catch (error) {
      this.forsakeFor('RESPONSE_INVALID', 'invalid', messageOf(error));
    }
  }

  /** The reason phrase is left out: clients must not look at it (RFC 9112 §4). */
  onWhole(status: number, _reason: string, headers: RawHeaders, body: Buffer): void {
    if (this.phase !== 'sent') this.end();
    else if (!isFinalStatus(status)) this.endInvalid(`final status ${status}`);
    else {
      // The slot first: the next request is in the process before this response is written.
      this.end();
      this.respond(status, endToEndHeaders(headers), body);
    }
  }

  onHead(status: number, reason: string, headers: RawHeaders): void {
    if (this.phase !== 'sent') return;
    if (!isFinalStatus(status)) {
      this.forsakeFor('RESPONSE_INVALID', 'invalid', `final status ${status}`);
      return;
    }
    this.phase = 'responding';
    this.promisedBytes = this.request.method === 'HEAD' ? 0 : contentLength(headers);
    this.maySleep = isEventStream(headers);
    if (this.maySleep) this.dispatcher.rest(this);
    else this.dispatcher.touch(this);
    try {
      this.exchange.start(status, endToEndHeaders(headers), cleanReason(reason));
    } catch (error) {
      this.forsakeFor('RESPONSE_INVALID', 'invalid', messageOf(error));
    }
  }

  onData(chunk: Buffer): void {
    if (this.phase !== 'responding') return;
    if (!this.maySleep) this.dispatcher.touch(this);
    if (this.exchange.write(chunk)) this.aheadBytes = 0;
    else this.lag(chunk.length);
  }

  onEnd(): void {
    const { phase } = this;
    if (phase === 'sent') this.endInvalid('an end without a head');
    else this.end();
    if (phase === 'responding') this.exchange.end();
  }

  onFailed(how: 'died' | 'aborted' | 'invalid', detail: string): void {
    const { phase, process } = this;
    if (process === null) return;
    if (how !== 'aborted') this.dispatcher.broken(process, detail);
    const again = phase === 'sent' && how === 'died' && this.mayGoAgain();
    const whole = this.isWhole;
    this.giveSlot(how === 'aborted');
    if (again) {
      this.phase = 'waiting';
      this.dispatcher.again(this);
    } else if (phase === 'forsaken') this.leave();
    else {
      this.dispatcher.logFailure(this, how, detail);
      this.leave();
      this.finish(whole, how === 'died' ? 'PROCESS_DIED' : 'RESPONSE_INVALID');
    }
  }

  // ── steps ──

  /** All that the response's head promised has gone to the client, though the slot has not said that it is the end. */
  private get isWhole(): boolean {
    return this.phase === 'responding' && this.exchange.bytesSent === this.promisedBytes;
  }

  private finish(whole: boolean, code: FaultCode): void {
    if (whole) this.exchange.end();
    else this.exchange.fail(code);
  }

  /** Asked at the death of the process, once: counts this run as lost. */
  private mayGoAgain(): boolean {
    const { wantAccept, method } = this.request;
    const { accepted, handovers, informed, lostRuns } = this;
    if (mayHaveBegun({ wantAccept, accepted })) this.lostRuns++;
    return mayHandAgain({
      wantAccept,
      accepted,
      idempotent: isIdempotent(method),
      answered: informed,
      handovers,
      lostRuns,
    });
  }

  /** A whole response; the slot has been given back. The exchange throws at what HTTP cannot carry. */
  private respond(status: number, headers: RawHeaders, body: Buffer): void {
    try {
      if (body.length === 0 && this.request.method === 'HEAD' && contentLength(headers) < 0) {
        // How long the content of a GET would be is not known; it is not 0.
        this.exchange.start(status, headers);
        this.exchange.end();
      } else this.exchange.respond(status, headers, body);
    } catch (error) {
      this.dispatcher.logFailure(this, 'invalid', messageOf(error));
      this.exchange.fail('RESPONSE_INVALID');
    }
  }

  private lag(bytes: number): void {
    this.aheadBytes += bytes;
    this.exchange.onDrain ??= () => this.drained();
    if (this.held || this.aheadBytes <= this.dispatcher.responseBufferBytes) return;
    this.held = true;
    // While it is we who do not read, the application's silence is no fault.
    this.dispatcher.rest(this);
    this.slot?.pause();
  }

  private unhold(): void {
    this.held = false;
    this.slot?.resume();
  }

  /** The application works for nobody now. It is told, and has as long to give the slot back as for a piece of its response. */
  private forsake(): void {
    this.phase = 'forsaken';
    if (this.timedBy === null) this.dispatcher.touch(this);
    // What is held back must be read for the end to come; and reading it may be the end.
    if (this.held) this.unhold();
    this.slot?.cancel();
  }

  private forsakeFor(code: FaultCode, how: string, detail: string): void {
    this.forsake();
    this.dispatcher.logFailure(this, how, detail);
    this.exchange.fail(code);
  }

  private endInvalid(detail: string): void {
    this.giveSlot(true);
    this.dispatcher.logFailure(this, 'invalid', detail);
    this.refuse('RESPONSE_INVALID');
  }

  private end(): void {
    this.giveSlot(true);
    this.leave();
  }

  /** @param lives whether the process can serve on */
  private giveSlot(lives: boolean): void {
    const { process, slot } = this;
    if (process === null || slot === null) return;
    // An end may come with what was read before the pause; the next request must not find the slot paused.
    if (this.held) this.unhold();
    this.process = null;
    this.slot = null;
    this.dispatcher.release(this, process, slot, lives);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
