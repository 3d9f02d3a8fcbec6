import { describe, expect, test } from 'vitest';
import type { BodyConsumer, Exchange } from './exchange.ts';
import { answerLength, eventually, openTestDoor } from './test-door.ts';

/** Notes what a body's consumer hears. */
function recorder(): { events: string[]; consumer: BodyConsumer } {
  const events: string[] = [];
  return {
    events,
    consumer: {
      onData: (chunk) => events.push(chunk.toString()),
      onEnd: () => events.push('end'),
      onError: (code) => events.push(code),
    },
  };
}

describe('too large', () => {
  test('by Content-Length: answered before a byte of it is read', async () => {
    const { connect, faults, done } = await openTestDoor({ limits: { bodyBytes: 10 }, onRequest: answerLength });
    const client = await connect();
    const answer = await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('Connection: close');
    await client.untilEnd();
    expect(faults).toEqual(['BODY_TOO_LARGE']);
    expect(done[0]).toMatchObject({ status: 413, fault: 'BODY_TOO_LARGE' });
  });

  test('by Content-Length: answered although the handler has not asked for it yet', async () => {
    const { connect, handled } = await openTestDoor({ limits: { bodyBytes: 10 }, onRequest: () => {} });
    const client = await connect();
    await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
    expect(client.statuses).toEqual([413]);
    const { events, consumer } = recorder();
    handled[0]?.body.read(consumer);
    expect(events).toEqual(['BODY_TOO_LARGE']);
  });

  test('a handler that has begun to answer without the body goes on', async () => {
    const { connect, faults } = await openTestDoor({
      limits: { bodyBytes: 10 },
      onRequest: (exchange) => {
        exchange.start(404, []);
        setImmediate(() => {
          exchange.write(Buffer.from('not here'));
          exchange.end();
        });
      },
    });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 404 .*Connection: close.*not here\r\n0\r\n\r\n$/s);
    expect(faults).toEqual([]);
  });

  test('in chunks: answered as soon as it is seen', async () => {
    const { events, consumer } = recorder();
    const { connect, faults } = await openTestDoor({
      limits: { bodyBytes: 10 },
      onRequest: (exchange) => exchange.body.read(consumer),
    });
    const client = await connect();
    const answer = await client.ask(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    await client.untilEnd();
    expect(events).toEqual(['123456', 'BODY_TOO_LARGE']);
    expect(faults).toEqual(['BODY_TOO_LARGE']);
  });

  test('the client can read the answer though it sends all of its 8 MiB first', async () => {
    const { connect, done } = await openTestDoor({ limits: { bodyBytes: 10 }, onRequest: answerLength });
    const client = await connect();
    client.socket.pause();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n');
    await new Promise<void>((resolve, reject) => {
      client.socket.on('error', reject);
      client.socket.write(Buffer.alloc(8_388_608), () => resolve());
    });
    client.socket.resume();
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 413 /);
    expect(client.error).toBe(null);
    expect(done).toHaveLength(1);
  });

  test('a request that would hide in the rest is not looked at', async () => {
    const { connect, handled } = await openTestDoor({ limits: { bodyBytes: 10 }, onRequest: answerLength });
    const client = await connect();
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n${'x'.repeat(20)}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    await client.untilEnd();
    expect(client.statuses).toEqual([413]);
    expect(handled).toHaveLength(1);
  });

  test('a handler may raise or lower the limit before it reads', async () => {
    const { connect } = await openTestDoor({
      limits: { bodyBytes: 10 },
      onRequest: (exchange) => {
        exchange.body.limit(exchange.target === '/more' ? 20 : 5);
        answerLength(exchange);
      },
    });
    const client = await connect();
    await client.ask(`POST /more HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n${'x'.repeat(15)}`);
    await client.ask(`POST /less HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n${'x'.repeat(6)}`, 2);
    expect(client.statuses).toEqual([200, 413]);
  });
});

describe('slow or lost', () => {
  test('a body that falls silent is answered 408', async () => {
    const { events, consumer } = recorder();
    const { connect, faults } = await openTestDoor({
      limits: { requestBodyMs: 300 },
      onRequest: (exchange) => exchange.body.read(consumer),
    });
    const client = await connect();
    const answer = await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await client.untilEnd();
    expect(events).toEqual(['12345', 'BODY_TIMEOUT']);
    expect(faults).toEqual(['BODY_TIMEOUT']);
  });

  test('a body that trickles is not silent', async () => {
    const { connect } = await openTestDoor({ limits: { requestBodyMs: 600 }, onRequest: answerLength });
    const [client, silent] = await Promise.all([connect(), connect()]);
    silent.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n');
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    let sent = 0;
    const trickle = setInterval(() => {
      sent++;
      client.send('x');
    }, 20);
    await silent.untilEnd();
    clearInterval(trickle);
    client.send('x'.repeat(100_000 - sent));
    await client.until(() => client.statuses.length > 0, 'the answer');
    expect([silent.statuses, client.statuses]).toEqual([[408], [200]]);
  });

  test('a body that nobody reads yet, or that is paused, is not late', async () => {
    const { connect, handled } = await openTestDoor({ limits: { requestBodyMs: 300 }, onRequest: () => {} });
    const [unread, paused, late] = await Promise.all([connect(), connect(), connect()]);
    for (const client of [unread, paused, late])
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1');
    await eventually(() => handled.length === 3);
    const { consumer } = recorder();
    handled[1]?.body.read(consumer);
    handled[1]?.body.pause();
    handled[2]?.body.read(consumer);
    await late.untilEnd();
    expect([unread.statuses, paused.statuses, late.statuses]).toEqual([[], [], [408]]);
  });

  test('a client that leaves mid-body is told to the consumer and to onClose, once each', async () => {
    const { events, consumer } = recorder();
    const { connect, handled, done, faults } = await openTestDoor({
      onRequest: (exchange) => {
        exchange.onClose = () => events.push(`closed ${exchange.state}`);
        exchange.body.read(consumer);
      },
    });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
    await eventually(() => events.length > 0);
    client.close();
    await eventually(() => done.length > 0);
    expect(events).toEqual(['12345', 'CLIENT_GONE', 'closed gone']);
    expect(handled[0]).toMatchObject({ state: 'gone', status: 0, fault: null });
    expect(faults).toEqual([]);
    // Too late for anything.
    handled[0]?.respond(200, [], 'x');
    handled[0]?.fail('INTERNAL');
    expect(handled[0]).toMatchObject({ state: 'gone', status: 0, fault: null });
  });

  test('a client that leaves while its request is being served is told', async () => {
    const { connect, handled, done } = await openTestDoor({ onRequest: () => {} });
    const client = await connect();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => handled.length > 0);
    client.close();
    await eventually(() => done.length > 0);
    expect(done[0]).toMatchObject({ state: 'gone', status: 0 });
  });
});

describe('100-continue', () => {
  const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';

  test('is sent when the body is asked for, not before', async () => {
    const { connect, handled } = await openTestDoor({ onRequest: () => {} });
    const [client, other] = await Promise.all([connect(), connect()]);
    client.send(HEAD);
    await eventually(() => handled.length > 0);
    other.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => handled.length > 1);
    expect(client.received).toBe('');
    answerLength(handled[0] as Exchange);
    await client.until(() => client.received !== '', 'the 100');
    expect(client.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    await client.ask('hello', 2);
    expect(client.received).toMatch(/\r\n\r\n5$/);
  });

  test('is not sent for a body that is too large', async () => {
    const { connect } = await openTestDoor({ limits: { bodyBytes: 4 }, onRequest: answerLength });
    const client = await connect();
    client.send(HEAD);
    await client.untilEnd();
    expect(client.statuses).toEqual([413]);
  });

  test('is not sent when the answer needs no body; the connection closes, for who knows what comes', async () => {
    const { connect } = await openTestDoor();
    const client = await connect();
    client.send(HEAD);
    expect(await client.untilEnd()).toContain('Connection: close');
    expect(client.statuses).toEqual([200]);
  });

  test('HTTP/1.0 does not know it', async () => {
    const { connect } = await openTestDoor({ onRequest: answerLength });
    const client = await connect();
    await client.ask('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello');
    expect(client.statuses).toEqual([200]);
  });
});

describe('unread', () => {
  test('a small rest is taken off the connection, which lives on', async () => {
    const { connect } = await openTestDoor();
    const client = await connect();
    await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
    await client.ask('67890GET / HTTP/1.1\r\nHost: a\r\n\r\n', 2);
    expect(client.statuses).toEqual([200, 200]);
  });

  test('a small rest that never comes is not waited for without end', async () => {
    const { connect } = await openTestDoor({ limits: { requestBodyMs: 300 } });
    const client = await connect();
    await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
    await client.untilEnd();
    expect(client.statuses).toEqual([200]);
  });

  test.each(['Content-Length: 70000', 'Transfer-Encoding: chunked'])('%s: the connection closes', async (field) => {
    const { connect } = await openTestDoor();
    const client = await connect();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    expect(await client.untilEnd()).toContain('Connection: close');
    expect(client.statuses).toEqual([200]);
  });

  test('a body that was answered half-read does not reach its consumer any more', async () => {
    const { events, consumer } = recorder();
    const { connect } = await openTestDoor({
      onRequest: (exchange) =>
        exchange.body.read({
          ...consumer,
          onData: (chunk) => {
            consumer.onData(chunk);
            exchange.respond(200, [], 'enough');
          },
        }),
    });
    const client = await connect();
    await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
    await client.ask('67890POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx', 2);
    expect(events).toEqual(['12345', 'x']);
  });
});

test('a body of 64 MiB arrives whole through a consumer that pauses', async () => {
  const { connect } = await openTestDoor({
    limits: { bodyBytes: 64 * 1024 * 1024 },
    onRequest: (exchange) => {
      let length = 0;
      exchange.body.read({
        onData: (chunk) => {
          length += chunk.length;
          exchange.body.pause();
          setImmediate(() => exchange.body.resume());
        },
        onEnd: () => exchange.respond(200, [], String(length)),
        onError: () => {},
      });
    },
  });
  const client = await connect();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
  client.send(Buffer.alloc(64 * 1024 * 1024));
  await client.until(() => client.received.endsWith(String(64 * 1024 * 1024)), 'the answer');
});

test('a body is read at most once', async () => {
  const { connect, handled } = await openTestDoor({ onRequest: answerLength });
  const client = await connect();
  await client.ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  expect(() => handled[0]?.body.read(recorder().consumer)).toThrow(/at most once/);
});
