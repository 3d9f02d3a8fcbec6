// What a request for a static file is answered with. Pure: reads the request's fields once, chooses the form of the file and
// the part of it.
import type { RawHeaders } from '../../http/exchange.ts';
import { isSameName } from '../hop-by-hop.ts';
import { acceptedCodings } from './coding.ts';
import { allowsRange, type Conditions, judge } from './conditional.ts';
import { parseRange } from './range.ts';
import type { Answer, Representation, StaticFile } from './representation.ts';

/** The fields of a request that a static answer depends on. */
export interface FileRequest extends Conditions {
  acceptEncoding: string | undefined;
  range: string | undefined;
  /** Whether any field but Accept-Encoding is there. */
  conditional: boolean;
}

/** One pass over the raw pairs. Lists that come in several fields are joined (RFC 9110 §5.3). */
export function readFileRequest(headers: RawHeaders): FileRequest {
  const request: FileRequest = {
    acceptEncoding: undefined,
    range: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
    ifRange: undefined,
    conditional: false,
  };
  for (let i = 0; i + 1 < headers.length; i += 2) takeField(request, headers[i] ?? '', headers[i + 1] ?? '');
  return request;
}

function takeField(request: FileRequest, name: string, value: string): void {
  switch (name.length) {
    case 5:
      if (isSameName(name, 'range')) setField(request, 'range', request.range === undefined ? value : '');
      return;
    case 8:
      if (isSameName(name, 'if-match')) setField(request, 'ifMatch', join(request.ifMatch, value));
      else if (isSameName(name, 'if-range')) setField(request, 'ifRange', value);
      return;
    case 13:
      if (isSameName(name, 'if-none-match')) setField(request, 'ifNoneMatch', join(request.ifNoneMatch, value));
      return;
    case 15:
      if (isSameName(name, 'accept-encoding')) request.acceptEncoding = join(request.acceptEncoding, value);
      return;
    case 17:
      if (isSameName(name, 'if-modified-since')) setField(request, 'ifModifiedSince', value);
      return;
    case 19:
      if (isSameName(name, 'if-unmodified-since')) setField(request, 'ifUnmodifiedSince', value);
  }
}

function setField(request: FileRequest, field: keyof Conditions | 'range', value: string): void {
  request[field] = value;
  request.conditional = true;
}

function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}

/** @returns the form of `file` that the client likes best; the original is always taken */
export function pickRepresentation(file: StaticFile, acceptEncoding: string | undefined): Representation {
  if (file.coded.length === 0) return file.original;
  for (const coding of acceptedCodings(acceptEncoding)) {
    const coded = file.coded.find((each) => each.coding === coding);
    if (coded) return coded;
  }
  return file.original;
}

/**
 * @param method GET or HEAD; a range counts for GET alone (RFC 9110 §14.2)
 * @param now milliseconds since the epoch
 */
export function planAnswer(method: string, request: FileRequest, form: Representation, now: number): Answer {
  if (!request.conditional) return form.whole;
  const verdict = judge(request, form, now);
  if (verdict === 'not-modified') return form.notModified;
  if (verdict === 'failed') return { status: 412, headers: form.notModified.headers, first: 0, end: 0 };
  if (method !== 'GET' || request.range === undefined || !allowsRange(request.ifRange, form, now)) return form.whole;
  return planRange(request.range, form);
}

function planRange(value: string, form: Representation): Answer {
  const range = parseRange(value, form.size);
  if (range.kind === 'whole') return form.whole;
  if (range.kind === 'unsatisfiable')
    return { status: 416, headers: ['Content-Range', `bytes */${form.size}`], first: 0, end: 0 };
  const { first, last } = range;
  const fields = ['Content-Length', String(last + 1 - first), 'Content-Range', `bytes ${first}-${last}/${form.size}`];
  return { status: 206, headers: [...fields, ...form.fields], first, end: last + 1 };
}
