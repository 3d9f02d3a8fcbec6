// What llhttp and Node's server report about bytes that are no request, as a fault of the table.
import type { FaultCode } from '../core/errors.ts';

/** `clientError`'s argument. */
export interface ParseError extends Error {
  readonly code?: string;
  /** The bytes in which the parser stopped: the last that came, not all of the head. */
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
  /** llhttp's own words. */
  readonly reason?: string;
}

/** @returns the fault to answer; 'IGNORE' for bytes behind a request that closes; 'GONE' when nobody is there to answer */
export function faultOfParseError(error: ParseError): FaultCode | 'IGNORE' | 'GONE' {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return endsInTarget(error) ? 'TARGET_TOO_LONG' : 'HEADERS_TOO_LARGE';
    case 'HPE_INVALID_METHOD':
      return startsWithToken(error) ? 'METHOD_UNSUPPORTED' : 'METHOD_INVALID';
    case 'HPE_INVALID_VERSION':
    case 'HPE_PAUSED_H2_UPGRADE':
      return 'VERSION_UNSUPPORTED';
    case 'HPE_INVALID_URL':
      return 'TARGET_INVALID';
    case 'HPE_INVALID_CONTENT_LENGTH':
      return 'CONTENT_LENGTH_INVALID';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'BODY_TOO_LARGE';
    case 'HPE_CLOSED_CONNECTION':
      return 'IGNORE';
    // Half a message and then the end of the connection: left, not refused (RFC 9112 §8).
    case 'HPE_INVALID_EOF_STATE':
      return 'GONE';
    default:
      return error.code?.startsWith('HPE_') ? 'SYNTAX' : 'GONE';
  }
}

/**
 * Whether the limit was met within the request line. Exact when the head came in one read; a target that came in several is
 * told as headers too large, because only the last read is at hand.
 */
function endsInTarget({ rawPacket, bytesParsed }: ParseError): boolean {
  const parsed = rawPacket?.subarray(0, bytesParsed).toString('latin1') ?? '';
  return /(^|\n)[A-Z-]+ [^ \n]*$/.test(parsed);
}

/** A method that llhttp does not know, rather than bytes of another protocol (RFC 9110 §9.1). */
function startsWithToken({ rawPacket, bytesParsed = 0 }: ParseError): boolean {
  if (rawPacket === undefined) return false;
  const line = bytesParsed > 0 ? rawPacket.lastIndexOf(0x0a, bytesParsed - 1) + 1 : 0;
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} /.test(rawPacket.subarray(line, line + 33).toString('latin1'));
}
