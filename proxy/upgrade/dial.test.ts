import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { type Dialled, dial } from './dial.ts';

let server: Server;
let address: string;

beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.close();
});

const REFUSING = '127.0.0.1:1';
const patient = 20_000;
const never = new AbortController().signal;

function standing(outcome: Dialled | string): string {
  if (typeof outcome === 'string') return outcome;
  outcome.socket.destroy();
  return outcome.address;
}

test('the first endpoint that takes the connection has it', async () => {
  const endpoints = [REFUSING, undefined, REFUSING, address];
  expect(standing(await dial(() => endpoints.shift(), patient, systemClock, never))).toBe(address);
  expect(endpoints).toEqual([]);
});

test.each([
  [REFUSING, 'UPSTREAM_REFUSED'],
  [undefined, 'NO_ENDPOINT'],
  ['unix:/nowhere/at/all', 'UPSTREAM_REFUSED'],
])('none does: %s', async (only, fault) => {
  expect(await dial(() => only, 120, systemClock, never)).toBe(fault);
});

test('it stops when the client has left', async () => {
  const left = new AbortController();
  let tries = 0;
  const pick = () => {
    if (++tries === 3) left.abort();
    return REFUSING;
  };
  expect(await dial(pick, patient, systemClock, left.signal)).toBe('UPSTREAM_REFUSED');
  expect(tries).toBe(3);
});
