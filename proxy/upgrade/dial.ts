// A connection to a worker for a protocol other than HTTP: connecting is ours, so that a worker that refuses costs the client
// nothing while another is there, and so that waiting has a bound.
import { connect, type Socket } from 'node:net';
import type { FaultCode } from '../../core/errors.ts';
import { parseAddress } from '../../http/address.ts';

/** Endpoints tried before the client is told. */
const MOST_TRIES = 3;

export interface Dialled {
  readonly socket: Socket;
  readonly address: string;
}

export type DialFault = Extract<FaultCode, 'NO_ENDPOINT' | 'UPSTREAM_REFUSED' | 'UPSTREAM_CONNECT_TIMEOUT'>;

/**
 * @param pick the next endpoint to try, undefined when none is there
 * @param connectMs for each try
 * @param signal stops trying: the client has left
 * @returns why not, as a fault code, when no connection could be made
 */
export async function dial(
  pick: () => string | undefined,
  connectMs: number,
  signal: AbortSignal,
): Promise<Dialled | DialFault> {
  let fault: DialFault = 'NO_ENDPOINT';
  for (let tries = 0; tries < MOST_TRIES && !signal.aborted; tries++) {
    const address = pick();
    if (address === undefined) return fault;
    const socket = await connectTo(address, connectMs, signal);
    if (typeof socket !== 'string') return { socket, address };
    fault = socket;
  }
  return fault;
}

function connectTo(address: string, connectMs: number, signal: AbortSignal): Promise<Socket | DialFault> {
  return new Promise((resolve) => {
    const socket = connect({ ...parseAddress(address), noDelay: true });
    const settle = (outcome: Socket | DialFault): void => {
      clearTimeout(timer);
      socket.removeAllListeners('connect');
      signal.removeEventListener('abort', giveUp);
      if (outcome !== socket) socket.destroy();
      resolve(outcome);
    };
    const giveUp = (): void => settle('UPSTREAM_REFUSED');
    const timer = setTimeout(() => settle('UPSTREAM_CONNECT_TIMEOUT'), connectMs);
    signal.addEventListener('abort', giveUp);
    socket.once('connect', () => settle(socket));
    // Stays: a socket without a listener brings the process down, and it fails between here and the HTTP client's hands too.
    socket.on('error', () => settle('UPSTREAM_REFUSED'));
  });
}
