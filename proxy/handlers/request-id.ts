// Names each request, for the client, the worker and every log. Always our own name: a client's X-Request-Id would let it
// write into other people's logs.
import { randomBytes } from 'node:crypto';
import type { Middleware } from '../pipeline.ts';

/** The last three digits, made once. */
const TAILS = Array.from({ length: 4096 }, (_, n) => n.toString(16).padStart(3, '0'));

/**
 * @param random 10 bytes, other ones in each process
 * @returns a maker of ids of 32 hexadecimal digits, none twice: the process's random part and a count. They are names, not secrets.
 */
export function makeRequestIds(random: Buffer = randomBytes(10)): () => string {
  const processPart = random.toString('hex');
  let count = 0;
  let front = '';
  return () => {
    const tail = count % TAILS.length;
    if (tail === 0) front = processPart + (count / TAILS.length).toString(16).padStart(9, '0');
    count++;
    return front + TAILS[tail];
  };
}

/** Outlives configurations, as `nextId` does: an id is never given twice by one process. */
export function requestId(nextId: () => string): Middleware {
  return (next) => (exchange) => {
    exchange.requestId = nextId();
    next(exchange);
  };
}
