import { expect, test } from 'vitest';
import { AnswerCounts } from './answer-counts.ts';
import { doorSources } from './door-metrics.ts';
import { openTestDoor } from './test-door.ts';
import { TracedDurations } from './traced-durations.ts';

test('what the door counts: connections, dropped fields, bytes of bodies both ways, limits and the configuration', async () => {
  const { door, connect } = await openTestDoor({
    limits: { connections: 7 },
    onRequest: (exchange) => {
      exchange.body.read({
        onData: () => {},
        onEnd: () => {
          exchange.start(200, []);
          exchange.write(Buffer.from('four'));
          exchange.write(Buffer.from('five5'));
          exchange.end();
        },
        onError: () => {},
      });
    },
  });
  const client = await connect();
  await client.ask('POST / HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nZ_: 2\r\nContent-Length: 3\r\n\r\nabc');
  const sources = doorSources({
    answers: new AnswerCounts(),
    queueTime: new TracedDurations(),
    queue: () => ({ length: 1, max: 2 }),
    door,
    config: () => ({ hash: 'h', appliedAt: 5_000 }),
    spans: { sent: 8, dropped: 9 },
  });
  const read = Object.entries(sources).flatMap(([name, source]) =>
    source instanceof TracedDurations ? [] : [[name, source()] as const],
  );
  expect(Object.fromEntries(read)).toMatchObject({
    ...{ connections: 1, connections_max: 7, connections_accepted_total: 1, headers_dropped_total: 2 },
    ...{ received_bytes_total: 3, sent_bytes_total: 9, queue_length: 1, queue_max: 2 },
    spans_total: [
      { labels: { outcome: 'sent' }, value: 8 },
      { labels: { outcome: 'dropped' }, value: 9 },
    ],
    ...{ config_applied_timestamp_seconds: 5, config_refused: 0 },
  });
});
