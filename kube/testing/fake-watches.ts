// The open watches of the fake API server: who is told of a change, bookmarks, and every way a watch can end.
import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../object.ts';
import { cutSocket } from './cut-socket.ts';
import type { FaultEffect, WatchEnd } from './fake-faults.ts';
import type { Matches } from './fake-selectors.ts';
import type { Change } from './fake-storage.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
type WatchFault = Extract<FaultEffect, { watch: WatchEnd }>;

/** The Status of an ERROR event when the version asked for is compacted. */
export const EXPIRED = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'too old resource version: 1 (2)',
  reason: 'Expired',
  code: 410,
};

export interface WatchTerms {
  readonly collection: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly matches: Matches;
  readonly bookmarks: boolean;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly fault: WatchFault | undefined;
}

export class OpenWatch {
  readonly terms: WatchTerms;
  readonly #response: ServerResponse;
  readonly #timers: NodeJS.Timeout[] = [];
  #sent = 0;
  #silent = false;

  constructor(terms: WatchTerms, response: ServerResponse, onClose: () => void) {
    this.terms = terms;
    this.#response = response;
    response.once('close', () => {
      for (const timer of this.#timers) clearTimeout(timer);
      onClose();
    });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
  }

  /** Sends what was there before, then sets the watch's timers. */
  begin(changes: readonly Change[], version: () => number): void {
    for (const change of changes) this.tell(change);
    const { timeoutMs, fault } = this.terms;
    if (timeoutMs > 0) this.#after(timeoutMs, () => this.#timeOut(version()));
    if (fault?.afterMs !== undefined) this.#after(fault.afterMs, () => this.end(fault.watch));
    else if (fault !== undefined && (fault.afterEvents ?? 0) === 0) this.end(fault.watch);
  }

  /** An object that a change brings into the selection is ADDED, one that it takes out is DELETED. */
  tell({ collection, type, object, old }: Change): void {
    if (collection !== this.terms.collection) return;
    const is = type !== 'DELETED' && this.terms.matches(object);
    const was = old !== undefined && this.terms.matches(old);
    if (is) this.#send(was ? 'MODIFIED' : 'ADDED', object);
    else if (was) this.#send('DELETED', object);
  }

  bookmark(version: number): void {
    const { bookmarks, kind, apiVersion } = this.terms;
    if (bookmarks) this.#write('BOOKMARK', { kind, apiVersion, metadata: { resourceVersion: String(version) } });
  }

  end(how: WatchEnd): void {
    if (this.#silent || this.#response.writableEnded) return;
    if (how === 'garbage') this.#response.write('{"type":"ADDED","object":{"met\n');
    if (how === 'gone') this.#write('ERROR', EXPIRED);
    if (how === 'gone' || how === 'end') this.#response.end();
    if (how === 'cut') cutSocket(this.#response.socket);
    if (how === 'silence') this.#silent = true;
  }

  #send(type: EventType, object: KubeObject): void {
    this.#write(type, object);
    const { fault } = this.terms;
    if (fault !== undefined && fault.afterEvents === ++this.#sent) this.end(fault.watch);
  }

  #write(type: EventType, object: unknown): void {
    if (!this.#silent && !this.#response.writableEnded) this.#response.write(`${JSON.stringify({ type, object })}\n`);
  }

  #timeOut(version: number): void {
    this.bookmark(version);
    this.end('end');
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms));
  }
}
