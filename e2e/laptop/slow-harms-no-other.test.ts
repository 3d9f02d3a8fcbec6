// Slow applications, slow clients and large bodies: whoever is slow harms nobody else.

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { residentBytes, SHOPS, startStack, until } from './stack.ts';

describe.each(['tally:app', 'tally.js'])('%s', (app) => {
  test('a hung request gets 504 and its neighbours finish', async () => {
    const env = [{ name: 'TALLY', value: '/dev/null' }];
    const running = await startStack('e2e/laptop/apps/tally', {
      app,
      env,
      workers: { processes: 2, threads: 2, timeout: '3s' },
    });
    const before = (await running.workerStatus()).list.map((process) => process.pid);
    const hung = fetch(`${running.url}/hang`);
    const neighbours = Array.from({ length: 3 }, () => fetch(`${running.url}/slow?seconds=2`));
    expect((await hung).status).toBe(504);
    for (const neighbour of neighbours) expect((await neighbour).status).toBe(200);
    await until('the hung process is replaced, and only that', async () => {
      const { processes, list } = await running.workerStatus();
      return processes.ready === 2 && list.filter((process) => before.includes(process.pid)).length === 1
        ? true
        : undefined;
    });
    expect((await running.workerStatus()).deaths[0]).toMatchObject({ cause: 'timeout' });
  });
});

describe.each(SHOPS)('$name', ({ name, app }) => {
  test('eight half-sent heads do not delay a good request', async () => {
    const running = await startStack(`examples/${name}`, {
      app,
      workers: { processes: 2 },
      proxy: { timeouts: { requestHead: '20s' } },
    });
    const halves = await Promise.all(Array.from({ length: 8 }, () => halfHead(running.port)));
    const began = performance.now();
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
    // Not a measurement: a server that is held by half a head answers after the deadline of 20 s, or not at all.
    expect(performance.now() - began).toBeLessThan(15_000);
    for (const half of halves) half.destroy();
  });

  test('1 GiB up and 1 GiB down hold the memory of both programs flat', async () => {
    const size = 2 ** 30;
    const running = await startStack(`examples/${name}`, {
      app,
      workers: { processes: 2, timeout: '5m' },
      proxy: { limits: { body: '2Gi' } },
    });
    await upload(running.url, 8 * 2 ** 20); // warm: buffers and code are there
    const { worker, proxy } = running.programs();
    const flat = watchGrowth({ worker, proxy });
    expect(await upload(running.url, size)).toMatchObject({ bytes: size });
    expect(await download(running.url, size)).toBe(size);
    const growth = flat.stop();
    console.log(
      `${name}: 1 GiB up and down; resident growth worker ${mib(growth.worker)} MiB, proxy ${mib(growth.proxy)} MiB`,
    );
    expect(growth.worker).toBeLessThan(160 * 2 ** 20);
    expect(growth.proxy).toBeLessThan(160 * 2 ** 20);
  });
});

function halfHead(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Ha', () => resolve(socket)),
    );
    socket.on('error', reject);
  });
}

/** Sends `size` bytes, as they are taken; @returns the application's JSON */
function upload(url: string, size: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': size, 'content-type': 'application/octet-stream' };
    const outgoing = request(`${url}/upload`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`${response.statusCode}: ${text}`)),
      );
    });
    outgoing.on('error', reject);
    const block = Buffer.alloc(256 * 1024, 7);
    let left = size;
    const fill = (): void => {
      while (left > 0) {
        const chunk = left < block.length ? block.subarray(0, left) : block;
        left -= chunk.length;
        if (!outgoing.write(chunk)) return void outgoing.once('drain', fill);
      }
      outgoing.end();
    };
    fill();
  });
}

async function download(url: string, size: number): Promise<number> {
  const response = await fetch(`${url}/download?bytes=${size}`);
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length;
  return bytes;
}

function watchGrowth<K extends string>(pids: Record<K, number>): { stop(): Record<K, number> } {
  const names = Object.keys(pids) as K[];
  const first = names.map((name) => residentBytes(pids[name]));
  const most = [...first];
  const timer = setInterval(() => {
    for (const [i, name] of names.entries()) most[i] = Math.max(most[i] ?? 0, residentBytes(pids[name]));
  }, 100);
  return {
    stop: () => {
      clearInterval(timer);
      return Object.fromEntries(names.map((name, i) => [name, (most[i] ?? 0) - (first[i] ?? 0)])) as Record<K, number>;
    },
  };
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
