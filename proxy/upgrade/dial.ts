// A connection to a worker for a protocol other than HTTP. Connecting is ours: a worker that refuses or just restarts costs the
// client nothing while another is there or comes soon, and waiting has a bound.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { FaultCode } from '../../core/errors.ts';
import { parseAddress } from '../../http/address.ts';

/** Between two tries. */
const PAUSE_MS = 50;

export interface Dialled {
  readonly socket: Socket;
  readonly address: string;
}

export type DialFault = Extract<FaultCode, 'NO_ENDPOINT' | 'UPSTREAM_REFUSED' | 'UPSTREAM_CONNECT_TIMEOUT'>;

/**
 * @param pick the endpoint to try next, undefined when none is there
 * @param connectMs for all tries together
 * @param signal stops trying: the client has left
 * @returns why not, as the fault of the last try, when no connection could be made
 */
export async function dial(
  pick: () => string | undefined,
  connectMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Dialled | DialFault> {
  const end = clock.now() + connectMs;
  for (;;) {
    const address = pick();
    const made = address === undefined ? 'NO_ENDPOINT' : await connectTo(address, end - clock.now(), signal);
    if (typeof made !== 'string') return { socket: made, address: address ?? '' };
    if (signal.aborted || clock.now() + PAUSE_MS >= end) return made;
    await delay(PAUSE_MS);
  }
}

function connectTo(address: string, withinMs: number, signal: AbortSignal): Promise<Socket | DialFault> {
  return new Promise((resolve) => {
    const socket = connect({ ...parseAddress(address), noDelay: true });
    const settle = (outcome: Socket | DialFault): void => {
      clearTimeout(timer);
      socket.removeListener('connect', stand);
      signal.removeEventListener('abort', giveUp);
      if (outcome !== socket) socket.destroy();
      resolve(outcome);
    };
    const stand = (): void => settle(socket);
    const giveUp = (): void => settle('UPSTREAM_REFUSED');
    const timer = setTimeout(() => settle('UPSTREAM_CONNECT_TIMEOUT'), withinMs);
    signal.addEventListener('abort', giveUp);
    socket.once('connect', stand);
    // Stays on: between here and the HTTP client's hands an error without a listener would end the program.
    socket.on('error', giveUp);
  });
}
