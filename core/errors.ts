// What can go wrong with a request, in one table: the code decides the HTTP status, whether the client may come again, and
// the label of the metric. Nothing else may look at a message's text. A code is answered by whoever meets it, http/ (the
// guard and the limits), worker/ or proxy/; the three share the table because they share the client.

interface Fault {
  /** HTTP status of the answer. */
  readonly status: number;
  /** One plain sentence for the client, without internals. */
  readonly message: string;
  /** Seconds for Retry-After, where coming again helps (RFC 9110 §10.2.3). */
  readonly retryAfter?: number;
}

export const FAULTS = {
  // Refused by the guard: the request is not well-formed HTTP, whoever sent it.
  VERSION_UNSUPPORTED: { status: 505, message: 'Only HTTP/1.0 and HTTP/1.1 are spoken here.' },
  METHOD_INVALID: { status: 400, message: 'The method is not a token.' },
  METHOD_UNSUPPORTED: { status: 501, message: 'This method is not carried.' },
  TARGET_INVALID: { status: 400, message: 'The request target is not valid.' },
  TARGET_ASTERISK: { status: 400, message: 'The target "*" is for OPTIONS only.' },
  HOST_MISSING: { status: 400, message: 'The Host header is missing.' },
  HOST_REPEATED: { status: 400, message: 'The Host header is given more than once.' },
  HOST_INVALID: { status: 400, message: 'The Host header is not valid.' },
  HEADER_NAME_INVALID: { status: 400, message: 'A header name is not a token.' },
  HEADER_VALUE_INVALID: { status: 400, message: 'A header value holds a control byte.' },
  CONTENT_LENGTH_REPEATED: { status: 400, message: 'Content-Length is given more than once.' },
  CONTENT_LENGTH_INVALID: { status: 400, message: 'Content-Length is not a number.' },
  CONTENT_TYPE_REPEATED: { status: 400, message: 'Content-Type is given more than once.' },
  TRANSFER_ENCODING_IN_1_0: { status: 400, message: 'Transfer-Encoding is not part of HTTP/1.0.' },
  TRANSFER_ENCODING_WITH_LENGTH: { status: 400, message: 'Transfer-Encoding and Content-Length exclude each other.' },
  TRANSFER_ENCODING_UNKNOWN: { status: 501, message: 'The only transfer coding understood is one final "chunked".' },
  SYNTAX: { status: 400, message: 'The request is not well-formed HTTP.' },
  EXPECTATION_UNKNOWN: { status: 417, message: 'The only expectation understood is 100-continue.' },

  // Refused by a limit.
  BODY_TOO_LARGE: { status: 413, message: 'The request body is larger than allowed.' },
  TARGET_TOO_LONG: { status: 414, message: 'The request target is longer than allowed.' },
  HEADERS_TOO_LARGE: { status: 431, message: 'The request headers are larger than allowed.' },
  HEAD_TIMEOUT: { status: 408, message: 'The request head did not arrive in time.' },
  BODY_TIMEOUT: { status: 408, message: 'The request body did not arrive in time.' },
  CONNECTIONS_FULL: { status: 503, message: 'Too many connections.', retryAfter: 1 },

  // Met by the worker.
  QUEUE_FULL: { status: 503, message: 'Too many requests are waiting.', retryAfter: 1 },
  QUEUE_TIMEOUT: { status: 503, message: 'The request waited too long for a free process.', retryAfter: 1 },
  REQUEST_TIMEOUT: { status: 504, message: 'The application did not answer in time.' },
  PROCESS_DIED: { status: 502, message: 'The process that served the request died.' },
  RESPONSE_INVALID: { status: 502, message: 'The application sent a response that is not valid HTTP.' },
  STORAGE_FAILED: { status: 507, message: 'The request body could not be stored.' },

  // Met by the proxy.
  NO_ENDPOINT: { status: 503, message: 'No worker is there to serve the request.', retryAfter: 1 },
  UPSTREAM_REFUSED: { status: 502, message: 'The worker could not be reached.' },
  UPSTREAM_CLOSED: { status: 502, message: 'The worker closed the connection before it answered.' },
  UPSTREAM_INVALID: { status: 502, message: 'The worker sent a response that is not valid HTTP.' },
  UPSTREAM_CONNECT_TIMEOUT: { status: 504, message: 'The worker could not be reached in time.' },
  UPSTREAM_TIMEOUT: { status: 504, message: 'The worker did not answer in time.' },
  MAINTENANCE: { status: 503, message: 'The application is down for maintenance.', retryAfter: 60 },

  // Met by either.
  INTERNAL: { status: 500, message: 'An error inside the server; its log says more.' },
} as const satisfies Record<string, Fault>;

export type FaultCode = keyof typeof FAULTS;

/** @returns the table's entry for `code`, with its optional fields visible. */
export function faultOf(code: FaultCode): Fault {
  return FAULTS[code];
}

/** An error whose `code` says everything that software decides by; the message is for people. */
export class CodedError<Code extends string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One thing wrong with what a person wrote. */
export interface Problem {
  /** Path of the field, such as `spec.workers.processes` or `spec.env[2].name`. */
  readonly field: string;
  /** The value found, shortened; absent when the field is. */
  readonly value?: string;
  /** What is wrong. */
  readonly message: string;
  /** What to write instead. */
  readonly mend: string;
  /** Line of the file it was read from, from 1. */
  readonly line?: number;
}

/** Thrown where input must be whole to go on; carries all problems, not the first. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[];
  constructor(subject: string, problems: readonly Problem[]) {
    super(
      [
        `${subject} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:`,
        ...problems.map(formatProblem),
      ].join('\n'),
    );
    this.problems = problems;
  }
}

/** @returns one problem as two lines: where and what, then how to mend it */
export function formatProblem(problem: Problem): string {
  const value = problem.value === undefined ? '' : ` is ${problem.value}`;
  const line = problem.line === undefined ? '' : ` (line ${problem.line})`;
  return `  ${problem.field}${value}: ${problem.message}${line}\n    → ${problem.mend}`;
}
