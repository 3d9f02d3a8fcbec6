// Loopback ports for servers that must be told their port, and come back on it after a restart.
import { createServer } from 'node:net';

/** Below what systems hand out to outgoing connections (Linux: from 32768), so that none of those takes it during a restart. */
const FIRST = 20_000;
const COUNT = 12_000;

/** @returns `count` different ports of 127.0.0.1 that are free now */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < 200; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) found.add(port);
  }
  if (found.size < count) throw new Error(`no ${count} free ports between ${FIRST} and ${FIRST + COUNT}`);
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
