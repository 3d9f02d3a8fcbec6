import { expect, test } from 'vitest';
import { makeLog } from '../core/log.ts';
import { Outbox, type OutboxBounds, type SpanSender } from './outbox.ts';
import type { SpanRecord } from './span.ts';

const QUICK: OutboxBounds = { queue: 4, batch: 2, delayMs: 1, sendMs: 50, closeMs: 50 };

function makeOutbox(sender: Partial<SpanSender>) {
  const lines: Record<string, unknown>[] = [];
  const log = makeLog(
    (line) => lines.push(JSON.parse(line)),
    () => 0,
  );
  const whole: SpanSender = { send: async () => {}, close: async () => {}, ...sender };
  const counts = { sent: 0, dropped: 0 };
  return { outbox: new Outbox(async () => whole, counts, log, QUICK), counts, lines };
}

test('batches are no larger than their bound, in order, one at a time', async () => {
  const batches: string[][] = [];
  let under = 0;
  const { outbox, counts } = makeOutbox({
    send: async (spans) => {
      expect(++under).toBe(1);
      await Promise.resolve();
      batches.push(spans.map(({ name }) => name));
      under--;
    },
  });
  for (const name of ['a', 'b', 'c']) outbox.add(span(name));
  await expect.poll(() => batches).toEqual([['a', 'b'], ['c']]);
  expect(counts).toEqual({ sent: 3, dropped: 0 });
  await outbox.close();
});

test('a collector that hangs: what waits is bounded, the rest is dropped, counted and told once', async () => {
  const { outbox, counts, lines } = makeOutbox({ send: () => new Promise(() => {}) });
  for (let n = 0; n < 1_000; n++) outbox.add(span('a'));
  expect(counts.dropped).toBe(1_000 - QUICK.batch - QUICK.queue);
  await outbox.close();
  // What is under way is given up when its own time is over.
  await expect.poll(() => counts).toEqual({ sent: 0, dropped: 1_000 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: 'warn', spans: 1 });
});

test('a collector that is away: its batch is dropped, and the next one is tried', async () => {
  let calls = 0;
  const { outbox, counts, lines } = makeOutbox({
    send: async () => {
      if (++calls === 1) throw new Error('connect ECONNREFUSED');
    },
  });
  outbox.add(span('a'));
  await expect.poll(() => counts.dropped).toBe(1);
  outbox.add(span('b'));
  await expect.poll(() => counts.sent).toBe(1);
  expect(lines[0]).toMatchObject({ reason: 'connect ECONNREFUSED' });
  await outbox.close();
  outbox.add(span('c'));
  expect(counts.dropped).toBe(2);
});

function span(name: string): SpanRecord {
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', parentId: '', tracestate: '' };
  return { name, kind: 'internal', ...ids, startMs: 0, endMs: 1, attributes: {}, failed: false };
}
