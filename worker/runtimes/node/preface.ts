// What the front tells a Node application process about a request besides the request itself: a preface before the target,
// `/~SECRET~<1|0><s|p><port>,<address>~<target>`. Written by slot.ts, taken off by node-app/ before the application or any
// tracing of its server sees it. A preface rather than headers, because a header cannot be taken off IncomingMessage again
// without touching Node's private fields. The secret is what keeps a client from writing one on an upgraded connection, whose
// head the front passes on.
import { randomBytes } from 'node:crypto';

export interface Preface {
  /** Whether the process must say `102 Processing` before the application runs. */
  readonly wantAccept: boolean;
  readonly encrypted: boolean;
  /** The client's; 0 when unknown. */
  readonly port: number;
  /** The client's; '' when unknown. */
  readonly address: string;
  /** The target as the client sent it. */
  readonly target: string;
}

/** An address comes from X-Forwarded-For in the end: only what cannot end the preface passes. */
const ADDRESS = /^[0-9A-Za-z.:%_-]{1,64}$/;

/** @returns a secret for one runtime */
export function makeSecret(): string {
  return randomBytes(12).toString('hex');
}

/** @returns what every preface made with `secret` begins with */
export function prefaceStart(secret: string): string {
  return `/~${secret}~`;
}

/** @param start of prefaceStart */
export function writePreface(start: string, preface: Preface): string {
  const address = ADDRESS.test(preface.address) ? preface.address : '';
  return `${start}${preface.wantAccept ? '1' : '0'}${preface.encrypted ? 's' : 'p'}${preface.port},${address}~${preface.target}`;
}

/** @returns null when `url` has no preface made with this secret */
export function readPreface(start: string, url: string): Preface | null {
  if (!url.startsWith(start)) return null;
  const flags = start.length;
  const comma = url.indexOf(',', flags);
  const end = url.indexOf('~', comma);
  if (comma < 0 || end < 0) return null;
  return {
    wantAccept: url.charCodeAt(flags) === 49,
    encrypted: url.charCodeAt(flags + 1) === 115,
    port: Number(url.slice(flags + 2, comma)) || 0,
    address: url.slice(comma + 1, end),
    target: url.slice(end + 1),
  };
}
