// What happens to an exchange first: its head becomes a request, its body is taken in, then it goes to the dispatcher. Without
// a body it goes there at once.
import { randomBytes } from 'node:crypto';
import type { Log } from '../../core/log.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { AppTrace, withTraceContext } from './app-trace.ts';
import type { BodyStore } from './body-store.ts';
import type { FrontCounters } from './counters.ts';
import type { Dispatcher } from './dispatch.ts';
import { Intake } from './intake.ts';
import { Passage } from './passage.ts';
import { type IncomingRequest, makeRequest } from './request.ts';

export interface ReceptionOptions {
  readonly dispatcher: Dispatcher;
  readonly store: BodyStore;
  readonly counters: FrontCounters;
  readonly log: Log;
  /** Absent: no request is traced here. */
  readonly tracer?: Tracer;
}

export class Reception {
  /** Whether the peer's X-Forwarded-For, X-Forwarded-Proto and X-Request-Id are believed. */
  trustForwarded: boolean;
  private readonly options: ReceptionOptions;
  private readonly idPrefix = randomBytes(6).toString('hex');
  private ids = 0;

  constructor(trustForwarded: boolean, options: ReceptionOptions) {
    this.trustForwarded = trustForwarded;
    this.options = options;
  }

  receive(exchange: Exchange): void {
    const { counters, dispatcher } = this.options;
    counters.answers.inFlight++;
    const request = makeRequest(exchange, this.trustForwarded, this.makeId);
    const passage = new Passage(exchange, request, dispatcher);
    // Off, the peer's context goes on to the application as any other field.
    if (this.options.tracer?.on) this.trace(passage, this.options.tracer);
    if (exchange.body.length === 0) this.pass(exchange, passage);
    else this.takeIn(exchange, request, passage);
  }

  private trace(passage: Passage, tracer: Tracer): void {
    const { exchange, request } = passage;
    const trace = tracer.begin(exchange.headers);
    // Nothing of ours to say: what came goes on.
    if (trace === null || (trace.spanId === '' && trace.parentId !== '')) return;
    request.headers = withTraceContext(exchange.headers, trace);
    if (trace.spanId !== '') passage.trace = new AppTrace(trace, tracer);
  }

  private pass(exchange: Exchange, passage: Passage): void {
    const { counters, dispatcher } = this.options;
    exchange.onClose = () => {
      counters.answers.inFlight--;
      passage.closed();
      passage.trace?.finished(passage);
    };
    dispatcher.submit(passage);
  }

  private takeIn(exchange: Exchange, request: IncomingRequest, passage: Passage): void {
    const { counters, dispatcher, log, store } = this.options;
    const intake = new Intake(exchange, request, store, log, () => dispatcher.submit(passage));
    exchange.onClose = () => {
      counters.answers.inFlight--;
      intake.giveUp();
      passage.closed();
      passage.trace?.finished(passage);
    };
    intake.start();
  }

  readonly makeId = (): string => `${this.idPrefix}-${(++this.ids).toString(36)}`;
}
