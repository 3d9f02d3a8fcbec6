// The way of a request through the proxy: a chain of handlers, one concern each, composed once for a configuration and swapped
// whole when it changes. What is under way finishes in the chain it began in.
import type { Handler } from '../http/exchange.ts';

export type Middleware = (next: Handler) => Handler;

/** Every link that handles a request before it is forwarded. */
export interface Links {
  readonly account: Middleware;
  readonly requestId: Middleware;
  readonly tracing: Middleware;
  readonly staticFiles: Middleware;
  readonly maintenance: Middleware;
}

/** Outermost first. */
export const ORDER = [
  // First, so that whatever is answered further in is counted and logged.
  'account',
  // Before anything answers: each answer carries the id.
  'requestId',
  // Before anything answers: spans are made of files and refusals too.
  'tracing',
  // Before the worker: what the files answer, no worker sees.
  'staticFiles',
  // After the files: pages that are open, and pages about the maintenance that others host, keep their style.
  'maintenance',
] as const satisfies readonly (keyof Links)[];

/** @param forward the end of every chain */
export function makePipeline(links: Links, forward: Handler): Handler {
  return ORDER.reduceRight<Handler>((next, name) => links[name](next), forward);
}
