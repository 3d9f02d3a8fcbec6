import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { makeLog } from '../../../core/log.ts';
import type { AppSpec } from '../runtime.ts';
import { makeWsgiRuntime } from '../wsgi.ts';

const BUSY_MS = 300;

test.each([false, true])(
  'why a process cannot start is told before its end, though the end is noticed first (preload: %s)',
  async (preload) => {
    const directory = mkdtempSync(join(tmpdir(), 'last-words-'));
    const spec: AppSpec = {
      app: 'gone:app',
      env: { WEBAPP_PYTHON: inject('python') },
      threads: 1,
      preload,
      directory,
      development: false,
      trustForwarded: false,
      limits: { bodyBytes: 1, bodyMemoryBytes: 1, headBytes: 1024, responseBufferBytes: 1024, connections: 1 },
    };
    const runtime = makeWsgiRuntime(
      spec,
      directory,
      makeLog(() => {}, Date.now),
    );
    const told: string[] = [];
    for (let id = 1; id <= 4; id++) {
      let ended = false;
      runtime.start(id, {
        onPid: () => {},
        onReady: () => told.push('ready'),
        onBootFailed: ({ reason }) => told.push(reason),
        onExit: () => {
          ended = true;
        },
      });
      // An event loop that is busy elsewhere sees the connection, the words and the end at once, in any order.
      while (!ended) {
        for (const until = performance.now() + BUSY_MS; performance.now() < until; );
        await new Promise(setImmediate);
      }
    }
    runtime.close();
    rmSync(directory, { recursive: true });
    expect(told).toHaveLength(4);
    for (const reason of told) expect(reason).toMatch(/gone/);
  },
);
