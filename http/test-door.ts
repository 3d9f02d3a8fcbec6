// For tests: a front door on a free port that notes what it refuses, and closes behind the test.
import { onTestFinished } from 'vitest';
import type { FaultCode } from '../core/errors.ts';
import type { Exchange } from './exchange.ts';
import { type DoorLimits, type DoorOptions, type FrontDoor, openFrontDoor } from './listen.ts';
import { RawClient } from './raw-client.ts';

export const LIMITS: DoorLimits = {
  bodyBytes: 1024 * 1024,
  headBytes: 16 * 1024,
  connections: 100,
  requestHeadMs: 60_000,
  requestBodyMs: 60_000,
  idleMs: 60_000,
  sendMs: 60_000,
};

export interface TestDoor {
  readonly door: FrontDoor;
  readonly faults: FaultCode[];
  /** Exchanges that reached the handler. */
  readonly handled: Exchange[];
  /** Exchanges that are over. */
  readonly done: Exchange[];
  connect(): Promise<RawClient>;
}

/** @param onRequest answers `ok` when absent */
export async function openTestDoor(
  options: Partial<Omit<DoorOptions, 'limits'>> & { limits?: Partial<DoorLimits> } = {},
): Promise<TestDoor> {
  const faults: FaultCode[] = [];
  const handled: Exchange[] = [];
  const done: Exchange[] = [];
  const { onRequest = answerOk, limits, ...rest } = options;
  const door = await openFrontDoor(
    { host: '127.0.0.1', port: 0 },
    {
      onFault: (code) => faults.push(code),
      onDone: (exchange) => done.push(exchange),
      ...rest,
      limits: { ...LIMITS, ...limits },
      onRequest: (exchange) => {
        handled.push(exchange);
        onRequest(exchange);
      },
    },
  );
  const clients: RawClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.close();
    await door.drain(0);
  });
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(door.address);
    clients.push(client);
    return client;
  };
  return { door, faults, handled, done, connect };
}

export function answerOk(exchange: Exchange): void {
  exchange.respond(200, ['Content-Type', 'text/plain'], 'ok');
}

/** Reads the body and answers with its length. */
export function answerLength(exchange: Exchange): void {
  let length = 0;
  exchange.body.read({
    onData: (chunk) => {
      length += chunk.length;
    },
    onEnd: () => exchange.respond(200, [], String(length)),
    onError: () => {},
  });
}

/** Waits until it holds; a generous bound makes a hang an assertion. */
export async function eventually(holds: () => boolean): Promise<void> {
  const late = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > late) throw new Error(`it never came to hold: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
