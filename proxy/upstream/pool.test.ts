import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseAddress } from '../../http/address.ts';
import type { WireConnection } from '../../http/wire/connection.ts';
import { Pool } from './pool.ts';
import { Worker } from './rig.ts';

let worker: Worker;
let pool: Pool;

beforeEach(async () => {
  worker = await new Worker().start();
  pool = new Pool(parseAddress(worker.address), { idleMs: 60_000, maxIdle: 10 });
});

afterEach(async () => {
  pool.close();
  await worker.kill();
});

async function openAndGive(to: Pool): Promise<WireConnection> {
  const connection = to.open(10_000);
  await new Promise<void>((connected) => {
    connection.onConnect = connected;
  });
  to.give(connection);
  return connection;
}

test('the connection that was given last is taken first: the others grow old', async () => {
  const first = await openAndGive(pool);
  const second = await openAndGive(pool);
  expect(pool.take()).toBe(second);
  pool.give(second);
  expect(pool.take()).toBe(second);
  expect(pool.take()).toBe(first);
  expect(pool.take()).toBeUndefined();
  first.destroy();
  second.destroy();
});

test('one that has idled for too long is not taken, whether or not `trim` has come by', async () => {
  const impatient = new Pool(parseAddress(worker.address), { idleMs: 20, maxIdle: 10 });
  await openAndGive(impatient);
  const { idleSince } = await openAndGive(impatient);
  await vi.waitFor(() => expect(performance.now() - idleSince).toBeGreaterThan(20));
  expect(impatient.take()).toBeUndefined();
  expect(impatient.idle).toBe(0);
  await vi.waitFor(() => expect(worker.sockets.size).toBe(0));
});

test('`trim` closes the old ones only', async () => {
  const { idleSince } = await openAndGive(pool);
  await vi.waitFor(() => expect(performance.now()).toBeGreaterThan(idleSince));
  const young = await openAndGive(pool);
  pool.trim(idleSince + 60_000);
  expect(pool.idle).toBe(1);
  expect(pool.take()).toBe(young);
  young.destroy();
});

test('a closed pool keeps nothing, a reopened one does', async () => {
  pool.close();
  await openAndGive(pool);
  expect(pool.idle).toBe(0);
  pool.reopen();
  await openAndGive(pool);
  expect(pool.idle).toBe(1);
});

test('one that the worker closes is forgotten, the others stay', async () => {
  await openAndGive(pool);
  await vi.waitFor(() => expect(worker.sockets.size).toBe(1));
  const [first] = worker.sockets;
  const second = await openAndGive(pool);
  first?.destroy();
  await vi.waitFor(() => expect(pool.idle).toBe(1));
  expect(pool.take()).toBe(second);
  second.destroy();
});
