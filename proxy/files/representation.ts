// A file as it is answered: the original or one of its compressed forms, with its header fields written once. Pure.
import { hash } from 'node:crypto';
import type { Coding } from './coding.ts';
import type { Validators } from './conditional.ts';
import { type FoundFile, hasTrueTime } from './disk.ts';
import { formatHttpDate } from './http-date.ts';
import { mediaTypeOf } from './media-type.ts';
import { extensionOf } from './path.ts';

/** What to answer. `first` to `end` (exclusive) are the bytes of the representation to send; equal: none. */
export interface Answer {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: readonly string[];
  readonly first: number;
  readonly end: number;
}

export interface Representation extends Validators {
  readonly file: FoundFile;
  readonly coding: Coding | '';
  /** The content, when it is small. */
  readonly body: Buffer | null;
  readonly size: number;
  /** Fields of every answer with content, without its length. */
  readonly fields: readonly string[];
  readonly whole: Answer;
  readonly notModified: Answer;
}

export interface StaticFile {
  readonly original: Representation;
  /** Compressed forms, none older than the original. */
  readonly coded: readonly Representation[];
  /** Bytes held in memory. */
  readonly bytes: number;
}

export interface CachePolicy {
  readonly maxAgeSeconds: number;
  readonly immutable: boolean;
}

/**
 * @param path of the original, for its media type
 * @param varies whether compressed forms stand beside it: then every answer says so (RFC 9110 §12.5.5), 304 too (§15.4.5)
 * @param now milliseconds since the epoch
 */
export function makeRepresentation(
  file: FoundFile,
  body: Buffer | null,
  coding: Coding | '',
  path: string,
  varies: boolean,
  policy: CachePolicy,
  now: number,
): Representation {
  const size = body === null ? file.size : body.length;
  const etag = makeTag(file, body, coding);
  // Without a true time a file is newer than any date that a client can name: only its tag says that it is the same.
  const modified = hasTrueTime(file.modifiedMs) ? Math.floor(file.modifiedMs / 1000) * 1000 : Number.POSITIVE_INFINITY;
  const caching = makeCaching(etag, modified, varies, policy, now);
  const fields = [
    ...['Content-Type', mediaTypeOf(extensionOf(path)), 'X-Content-Type-Options', 'nosniff', 'Accept-Ranges', 'bytes'],
    ...caching,
    ...(coding === '' ? [] : ['Content-Encoding', coding]),
  ];
  return {
    file,
    coding,
    body,
    size,
    etag,
    modified,
    fields,
    whole: { status: 200, headers: ['Content-Length', String(size), ...fields], first: 0, end: size },
    notModified: { status: 304, headers: caching, first: 0, end: 0 },
  };
}

/** By content where it is at hand: equal on every replica of the proxy, whatever became of the files' times. */
function makeTag(file: FoundFile, body: Buffer | null, coding: string): string {
  if (body !== null) return `"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
  return coding === '' ? `"${file.tag}"` : `"${file.tag}-${coding}"`;
}

function makeCaching(etag: string, modified: number, varies: boolean, policy: CachePolicy, now: number): string[] {
  const immutable = policy.immutable && policy.maxAgeSeconds > 0 ? ', immutable' : '';
  return [
    ...['ETag', etag],
    // §8.8.2.1: never a time later than the answer's.
    ...(modified > now ? [] : ['Last-Modified', formatHttpDate(modified)]),
    ...['Cache-Control', `public, max-age=${policy.maxAgeSeconds}${immutable}`],
    ...(varies ? ['Vary', 'Accept-Encoding'] : []),
  ];
}
