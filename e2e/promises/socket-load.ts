// A steady load of WebSocket messages: each is to be said back, and no connection may end.
import type { Load, LoadReport } from '../load.ts';

export interface SocketLoadOptions {
  /** `ws://…` of something that says back what it is told, whatever it puts before. */
  readonly url: string;
  readonly sockets: number;
  /** Between two messages of one socket. */
  readonly everyMs: number;
}

/** An echo that has not come after so long has failed. */
const ECHO_TIMEOUT_MS = 10_000;
const FAREWELL_MS = 1000;

export function startSocketLoad(options: SocketLoadOptions): Load {
  const report: LoadReport = { sent: 0, ok: 0, failures: {}, slowestMs: 0 };
  const talks = Array.from({ length: options.sockets }, () => startTalk(options, report));
  return {
    report,
    stop: async () => {
      await Promise.all(talks.map((end) => end()));
      return report;
    },
  };
}

/** @returns what ends it, when every message has its echo or is overdue */
function startTalk({ url, everyMs }: SocketLoadOptions, report: LoadReport): () => Promise<void> {
  const socket = new WebSocket(url);
  const waiting = new Map<string, number>();
  let ending = false;
  const fail = (kind: string): void => {
    if (!ending) report.failures[kind] = (report.failures[kind] ?? 0) + 1;
  };
  const expire = (): void => {
    for (const [text, sentAt] of waiting) {
      if (performance.now() - sentAt < ECHO_TIMEOUT_MS) return;
      waiting.delete(text);
      fail('no echo');
    }
  };
  const speak = (): void => {
    expire();
    if (socket.readyState !== WebSocket.OPEN) return;
    const text = `message ${report.sent++}`;
    waiting.set(text, performance.now());
    socket.send(text);
  };
  socket.addEventListener('message', ({ data }) => {
    const text = /message \d+$/.exec(String(data))?.[0] ?? '';
    const sentAt = waiting.get(text);
    if (sentAt === undefined) return fail('wrong echo');
    waiting.delete(text);
    report.ok++;
    report.slowestMs = Math.max(report.slowestMs, performance.now() - sentAt);
  });
  socket.addEventListener('close', ({ code }) => fail(`closed ${code}`));
  const timer = setInterval(speak, everyMs);
  return async () => {
    clearInterval(timer);
    while (waiting.size > 0 && socket.readyState === WebSocket.OPEN) {
      expire();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const _ of waiting) fail('no echo');
    ending = true;
    await closed(socket);
  };
}

function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    socket.addEventListener('close', () => resolve());
    socket.close();
    setTimeout(resolve, FAREWELL_MS);
  });
}
