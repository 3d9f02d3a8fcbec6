// The first thing a newcomer runs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { descendants, isAlive, until } from './stack.ts';

test('npm start serves both shops through the proxy, with 3 processes each, and Ctrl-C leaves nothing', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { VIRTUAL_ENV: _, ...env } = process.env;
  // A group of its own, so that Ctrl-C reaches all of it as from a terminal.
  const child = spawn('npm', ['start', '--', '--port', '0'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = -(child.pid ?? 0);
  const exited = once(child, 'exit');
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const address = (name: string): Promise<string> =>
    until(
      `the address of ${name}`,
      () => new RegExp(`${name} +(http://127\\.0\\.0\\.1:\\d+) +3 processes`).exec(output)?.[1],
      child,
      () => output,
    );

  const flask = await address('flask-shop');
  const express = await address('express-shop');
  for (const url of [flask, express]) {
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(await page.text()).toContain('Teapot');
    expect((await fetch(`${url}/static/shop.css`)).headers.get('cache-control')).toBe('public, max-age=3600');
    const order = await fetch(`${url}/orders`, {
      method: 'POST',
      body: new URLSearchParams({ good: '1', amount: '2', name: 'Grace' }),
    });
    expect(await order.text()).toContain('for Grace');
    const pids = await Promise.all(
      Array.from({ length: 60 }, async () => (await (await fetch(`${url}/whoami`)).json()) as { process: number }),
    );
    expect(new Set(pids.map(({ process: pid }) => pid)).size).toBeLessThanOrEqual(3);
  }
  expect(await echo(express.replace('http', 'ws'), 'hello')).toMatch(/^\d+: hello$/);

  const below = descendants(child.pid ?? 0);
  process.kill(group, 'SIGINT');
  await exited;
  await until('the end of all processes', () => (below.some(isAlive) ? undefined : true));
});

function echo(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}/echo`);
    socket.onopen = () => socket.send(text);
    socket.onmessage = ({ data }) => {
      socket.close();
      resolve(String(data));
    };
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
  });
}
