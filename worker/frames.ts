// The wire between the worker's front and a Python application process: one definition, mirrored in
// python/webapp_adapter/frames.py (a test compares them).
//
// One process has one *control* connection and one connection for each slot (thread), all to one Unix socket in a private
// folder (mode 0700). The front listens, the process connects. Every frame is an 8-byte header and a payload, big-endian:
//
//   0        4      5         8
//   | length | type | stream  | payload (length bytes) …
//
// `length` counts the payload only, at most MAX_PAYLOAD. `stream` numbers the requests of one connection (1, 2, … wrapping
// within 24 bits, never 0); 0 in frames that belong to no request. A frame of a stream that is not the present one is dropped:
// it belongs to a request that was cancelled.
//
// Text is latin-1. Lists are joined by NUL, which no header may hold.
//
// Leaving: the front half-closes a slot that is free; a process whose slots are all at their end exits 0. The front writes
// nothing on the control connection of a serving process: it is also its lifeline, armed so that the kernel kills the
// process by whatever happens on it. Only a preloaded parent, which serves nothing, takes frames there.

export const HEADER_BYTES = 8;
/**
 * Of all frames but REQUEST, whose size the front's own limits bound. A process cuts longer payloads into more frames; the
 * front closes on receiving one.
 */
export const MAX_PAYLOAD = 16 * 1024 * 1024;

export const FRAME = {
  // Process → front, first frame of a connection. Payload: token NUL process-id NUL slot. process-id: the number the front
  // gave it, or 'parent' for a preloaded parent. slot: 'control' or 0, 1, ….
  HELLO: 1,

  // ── control connection ──
  // Process → front: the application is imported and the slots are connected (a preloaded parent: it can fork). Payload:
  // JSON {pid, python, threads, app}.
  BOOTED: 2,
  // Process → front: it could not be imported. Payload: JSON {reason, mend, traceback}. The process exits with code 3.
  BOOT_FAILED: 3,
  // Front → preloaded parent: fork no more, exit 0 when the last child has ended.
  STOP: 4,
  // Front → preloaded parent: fork a child. Payload: process-id of the child.
  FORK: 5,
  // Preloaded parent → front. Payload: JSON {id, pid}; {id, error} when the system would not fork.
  FORKED: 6,
  // Preloaded parent → front: a child has ended. Payload: JSON {id, pid, code | null, signal | null}.
  EXITED: 7,

  // ── slot connection, front → process ──
  // One request. Payload: flags byte (REQUEST_FLAG), 4 bytes length of the environ, the environ as NUL-joined key, value, …
  // pairs, then the whole body unless flag BODY_FILE is set: then the path of the file that holds it.
  // The environ has what differs between requests; the constant part is in the adapter's template. PATH_INFO is still
  // percent-encoded: decoded it may hold NUL.
  REQUEST: 16,
  // The client has gone: stop iterating, call close(), become free. No payload. Answered by END, ABORT or RESPONSE like any
  // request.
  CANCEL: 17,

  // ── slot connection, process → front ──
  // Taken: the application is about to run. Sent only for requests with flag WANT_ACCEPT; for the others the front may hand
  // the request to another process anyway (idempotent methods).
  ACCEPT: 32,
  // Head of a response. Payload: NUL-joined: status line ('200 OK'), name, value, name, value, …
  HEAD: 33,
  // A piece of the body, never empty.
  BODY: 34,
  // The response is complete, the slot is free.
  END: 35,
  // Head, body and end in one frame. Payload: 4 bytes length of the head, head as in HEAD, body.
  RESPONSE: 36,
  // The application failed after the head had gone, or gave less than its Content-Length: cut the client. The slot is free.
  ABORT: 37,
  // 1xx. Payload as HEAD.
  INFORM: 38,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export const REQUEST_FLAG = { WANT_ACCEPT: 1, BODY_FILE: 2, HEAD_ONLY: 4 } as const;
