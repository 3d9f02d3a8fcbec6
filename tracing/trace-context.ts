// W3C Trace Context: `traceparent` and `tracestate` as they come from clients and as they go on. Pure. What comes is hostile until it
// has been read strictly: a context that breaks the Recommendation in any way is none, and a new trace begins (§2.2, §3.2.2, §4.3).

/** A place in somebody's trace: where our own spans hang. */
export interface TraceContext {
  /** 32 hexadecimal digits, lower case, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, lower case, not all zero: the span that our spans are children of. */
  readonly parentId: string;
  /** The bits that we know: SAMPLED and RANDOM. */
  readonly flags: number;
  /** '' when there is none, or none that is valid. */
  readonly tracestate: string;
}

/** The caller may have recorded the trace, and so do we (§3.2.2.5.1). */
export const SAMPLED = 0x01;
/** The right-most 7 bytes of the trace id are random (Level 2, §3.2.2.5.2): said on, never claimed for others' ids. */
export const RANDOM = 0x02;

const KNOWN_FLAGS = SAMPLED | RANDOM;

/** A later version may have more behind the flags, after another `-` (§3.2.4). */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO = /^0+$/;

/** @returns null for a value that is none. `tracestate` is empty. */
export function parseTraceparent(value: string): TraceContext | null {
  const [, version = '', traceId = '', parentId = '', flags = '', more] = TRACEPARENT.exec(value) ?? [];
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (ZERO.test(traceId) || ZERO.test(parentId)) return null;
  return { traceId, parentId, flags: Number.parseInt(flags, 16) & KNOWN_FLAGS, tracestate: '' };
}

export function formatTraceparent(traceId: string, parentId: string, flags: number): string {
  return `00-${traceId}-${parentId}-0${flags & KNOWN_FLAGS}`;
}

/** §3.3.1.5: so many characters are passed on at least; we pass on no more. */
const MAX_STATE = 512;
const MAX_MEMBERS = 32;
/** §3.3.1.5: what is longer goes first when something has to. */
const LONG_MEMBER = 128;
/** §3.3.1.3, the keys of Level 2, which takes all of Level 1. Every repetition is bounded. */
const MEMBER = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
/** Longer than 32 members of full length: not even looked at. */
const MAX_READ = MAX_MEMBERS * 514;

/** @returns the list in its plain form, cut to what is to be passed on; '' when it breaks the grammar anywhere */
export function parseTracestate(value: string): string {
  if (value.length > MAX_READ) return '';
  const members = value
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  if (members.length > MAX_MEMBERS || keys.size !== members.length) return '';
  return members.every((member) => MEMBER.test(member)) ? cut(members) : '';
}

function cut(members: readonly string[]): string {
  const whole = members.join(',');
  if (whole.length <= MAX_STATE) return whole;
  const short = members.filter((member) => member.length <= LONG_MEMBER);
  while (short.join(',').length > MAX_STATE) short.pop();
  return short.join(',');
}

export const TRACEPARENT_NAME = 'traceparent';
export const TRACESTATE_NAME = 'tracestate';

/** Hot path: by length first, which nearly all other fields differ in already. */
export function isTraceField(name: string): boolean {
  if (name.length === TRACEPARENT_NAME.length) return name.toLowerCase() === TRACEPARENT_NAME;
  return name.length === TRACESTATE_NAME.length && name.toLowerCase() === TRACESTATE_NAME;
}

/**
 * @param headers name, value, name, value, …
 * @returns null when there is no valid context; two traceparents are none. Several tracestates are one list (RFC 9110 §5.3).
 */
export function readTraceContext(headers: readonly string[]): TraceContext | null {
  let parent = '';
  let parents = 0;
  let state = '';
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!isTraceField(name)) continue;
    const value = headers[i + 1] ?? '';
    if (name.length === TRACEPARENT_NAME.length) {
      parent = value;
      parents++;
    } else state = state === '' ? value : `${state},${value}`;
  }
  const context = parents === 1 ? parseTraceparent(parent) : null;
  if (context === null || state === '') return context;
  return { ...context, tracestate: parseTracestate(state) };
}
