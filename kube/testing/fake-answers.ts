// What the fake API server sends back: JSON, refusals as Status, and the answers that are wrong on purpose.
import type { ServerResponse } from 'node:http';
import { cutSocket } from './cut-socket.ts';
import { Refusal, statusOf } from './fake-status.ts';
import type { Answer } from './fake-verbs.ts';

export function sendJson(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** What was thrown while answering: a refusal, a selector that the fake does not know, or a fault of the fake itself. */
export function sendError(response: ServerResponse, error: unknown): void {
  const refusal = refusalOf(error);
  sendJson(response, { status: refusal.status, body: statusOf(refusal) });
}

/** 200 with this text. @param options.cut promise a byte more than is sent, then reset */
export function sendInstead(
  response: ServerResponse,
  { answer, cut = false }: { answer: string; cut?: boolean },
): void {
  const length = Buffer.byteLength(answer) + (cut ? 1 : 0);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': length });
  response.write(answer, () => {
    if (cut) cutSocket(response.socket);
    else response.end();
  });
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof RangeError) return new Refusal(400, error.message);
  return new Refusal(500, error instanceof Error ? (error.stack ?? error.message) : String(error));
}
