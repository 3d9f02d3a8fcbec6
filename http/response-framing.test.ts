import { describe, expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { eventually, openTestDoor } from './test-door.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** @returns the response to one request, once the connection has answered a second one or closed */
async function answerOf(handler: (exchange: Exchange) => void, request = GET): Promise<string> {
  const { connect } = await openTestDoor({
    onRequest: (exchange) => (exchange.target === '/end' ? exchange.respond(418, []) : handler(exchange)),
  });
  const client = await connect();
  client.send(`${request}GET /end HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.until(() => client.ended || client.statuses.includes(418), 'the end');
  return client.received.split('HTTP/1.1 418')[0] ?? '';
}

function headOf(answer: string): string[] {
  return (answer.split('\r\n\r\n')[0] ?? '').split('\r\n').filter((line) => !line.startsWith('Date: '));
}

describe('respond', () => {
  test('gives a body its length', async () => {
    const answer = await answerOf((exchange) => exchange.respond(200, ['X', 'y'], Buffer.from('caf\xe9')));
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'X: y', 'Content-Length: 5']);
    expect(answer).toMatch(/\r\nDate: .* GMT\r\n/);
    expect(answer).toMatch(/\r\n\r\ncaf\xc3\xa9$/);
  });

  test('counts the bytes of a string, not its characters', async () => {
    expect(headOf(await answerOf((exchange) => exchange.respond(200, [], '€')))).toContain('Content-Length: 3');
  });

  test('without a body is empty', async () => {
    const answer = await answerOf((exchange) => exchange.respond(200, []));
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'Content-Length: 0']);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  test('keeps bytes above ASCII in a value as they are, whatever the body is', async () => {
    for (const body of ['text', Buffer.from('bytes')]) {
      expect(headOf(await answerOf((exchange) => exchange.respond(200, ['X', 'caf\xe9'], body)))).toContain(
        'X: caf\xe9',
      );
    }
  });

  test('believes no framing but its own', async () => {
    const fields = [
      'Content-Length',
      '99',
      'Transfer-Encoding',
      'chunked',
      'Connection',
      'close',
      'Keep-Alive',
      'x',
      'Trailer',
      'x',
    ];
    const answer = await answerOf((exchange) => exchange.respond(200, fields, 'body'));
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'Content-Length: 4']);
  });

  test('keeps order and repeats of fields, and a Date that is given', async () => {
    const fields = ['Set-Cookie', 'a=1', 'X', 'y', 'set-cookie', 'b=2', 'Date', 'then'];
    const answer = await answerOf((exchange) => exchange.respond(200, fields));
    expect(answer.split('\r\n').slice(1, 5)).toEqual(['Set-Cookie: a=1', 'X: y', 'set-cookie: b=2', 'Date: then']);
    expect(answer.match(/Date:/g)).toHaveLength(1);
  });

  test('answers once', async () => {
    const answer = await answerOf((exchange) => {
      exchange.respond(200, [], 'first');
      exchange.respond(500, [], 'second');
      exchange.fail('INTERNAL');
    });
    expect(answer).toMatch(/first$/);
  });
});

describe('RFC 9110 §6.4.1: no content', () => {
  const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';

  test.each<[string, string, (exchange: Exchange) => void, string[]]>([
    ['HEAD of a body', HEAD, (x) => x.respond(200, [], 'body'), ['HTTP/1.1 200 OK', 'Content-Length: 4']],
    [
      'HEAD of a length',
      HEAD,
      (x) => x.respond(200, ['Content-Length', '9']),
      ['HTTP/1.1 200 OK', 'Content-Length: 9'],
    ],
    [
      'HEAD of a stream',
      HEAD,
      (x) => {
        x.start(200, []);
        x.write(Buffer.from('body'));
        x.end();
      },
      ['HTTP/1.1 200 OK'],
    ],
    [
      'HEAD of a stream of known length',
      HEAD,
      (x) => {
        x.start(200, ['Content-Length', '9']);
        x.end();
      },
      ['HTTP/1.1 200 OK', 'Content-Length: 9'],
    ],
    ['204', GET, (x) => x.respond(204, ['Content-Length', '4'], 'body'), ['HTTP/1.1 204 No Content']],
    ['304', GET, (x) => x.respond(304, ['ETag', '"x"'], 'body'), ['HTTP/1.1 304 Not Modified', 'ETag: "x"']],
    [
      '304 of a length',
      GET,
      (x) => x.respond(304, ['Content-Length', '4']),
      ['HTTP/1.1 304 Not Modified', 'Content-Length: 4'],
    ],
    [
      '204 of a stream',
      GET,
      (x) => {
        x.start(204, []);
        x.write(Buffer.from('body'));
        x.end();
      },
      ['HTTP/1.1 204 No Content'],
    ],
    ['HEAD of a fault', HEAD, (x) => x.fail('NO_ENDPOINT'), expect.arrayContaining(['Retry-After: 1'])],
  ])('%s', async (_what, request, handler, head) => {
    const answer = await answerOf(handler, request);
    expect(headOf(answer)).toEqual(head);
    expect(answer).toMatch(/\r\n\r\n$/);
  });
});

describe('start, write, end', () => {
  test('without a length is chunked', async () => {
    const answer = await answerOf((exchange) => {
      exchange.start(200, ['X', 'y']);
      exchange.write(Buffer.from('hello'));
      setImmediate(() => {
        exchange.write(Buffer.from(' world'));
        exchange.write(Buffer.alloc(0));
        exchange.end();
      });
    });
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'X: y', 'Transfer-Encoding: chunked']);
    expect(answer).toMatch(/\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n$/);
  });

  test('takes a reason', async () => {
    const answer = await answerOf((exchange) => {
      exchange.start(299, [], 'Odd But Fine');
      exchange.end();
    });
    expect(answer).toMatch(/^HTTP\/1\.1 299 Odd But Fine\r\n/);
  });

  test('with a length is not chunked', async () => {
    const answer = await answerOf((exchange) => {
      exchange.start(200, ['content-length', '5']);
      exchange.write(Buffer.from('hello'));
      exchange.end();
    });
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'Content-Length: 5']);
    expect(answer).toMatch(/\r\n\r\nhello$/);
  });

  test('more than the length is cut off, so that it is not read as the next response', async () => {
    const answer = await answerOf((exchange) => {
      exchange.start(200, ['Content-Length', '5']);
      exchange.write(Buffer.from('hello'));
      exchange.write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
      exchange.end();
    });
    expect(answer).toMatch(/\r\n\r\nhello$/);
  });

  test('less than the length closes, so that the next response is not read as its rest', async () => {
    const { connect } = await openTestDoor({
      onRequest: (exchange) => {
        exchange.start(200, ['Content-Length', '10']);
        exchange.write(Buffer.from('hello'));
        setImmediate(() => exchange.end());
      },
    });
    const client = await connect();
    client.send(GET + GET);
    await client.untilEnd();
    expect(client.statuses.length).toBeLessThanOrEqual(1);
  });

  test('the head goes out though no body follows yet', async () => {
    const { connect } = await openTestDoor({ onRequest: (exchange) => exchange.start(200, ['X', 'early']) });
    const client = await connect();
    await client.ask(GET);
    expect(client.received).toContain('X: early');
  });

  test('abort cuts a chunked response without its end', async () => {
    const { connect, done } = await openTestDoor({
      onRequest: (exchange) => {
        exchange.start(200, []);
        exchange.write(Buffer.from('hello'));
        setTimeout(() => exchange.abort(), 20);
      },
    });
    const client = await connect();
    client.send(GET);
    const answer = await client.untilEnd();
    expect(answer).toContain('5\r\nhello\r\n');
    expect(answer).not.toContain('0\r\n\r\n');
    await eventually(() => done.length > 0);
    expect(done[0]).toMatchObject({ state: 'gone', status: 200, bytesSent: 5 });
  });

  test('a fault behind the head aborts, and is counted', async () => {
    const { connect, faults } = await openTestDoor({
      onRequest: (exchange) => {
        exchange.start(200, ['Content-Length', '10']);
        exchange.fail('UPSTREAM_CLOSED');
      },
    });
    const client = await connect();
    client.send(GET);
    await client.untilEnd();
    expect(faults).toEqual(['UPSTREAM_CLOSED']);
  });
});

describe('HTTP/1.0', () => {
  const OLD = 'GET / HTTP/1.0\r\n\r\n';
  const KEPT = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';

  test('closes unless asked to keep alive', async () => {
    expect(headOf(await answerOf((x) => x.respond(200, [], 'a'), OLD))).toContain('Connection: close');
  });

  test('is kept alive when asked', async () => {
    const answer = await answerOf((x) => x.respond(200, [], 'a'), KEPT);
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: keep-alive']);
  });

  test.each([OLD, KEPT])('%j: a stream is not chunked, its end is the close', async (request) => {
    const answer = await answerOf((x) => {
      x.start(200, []);
      x.write(Buffer.from('stream'));
      x.end();
    }, request);
    expect(headOf(answer)).toEqual(['HTTP/1.1 200 OK', 'Connection: close']);
    expect(answer).toMatch(/\r\n\r\nstream$/);
  });

  test('a stream that is aborted ends in a reset: a close would look like its end', async () => {
    const { connect } = await openTestDoor({
      onRequest: (exchange) => {
        exchange.start(200, []);
        exchange.write(Buffer.from('stream'));
        setTimeout(() => exchange.abort(), 20);
      },
    });
    const client = await connect();
    client.send(OLD);
    await eventually(() => client.closed);
    expect(client.error?.code).toBe('ECONNRESET');
  });

  test('gets no 1xx', async () => {
    const answer = await answerOf((x) => {
      x.inform(103, ['Link', '</a.css>']);
      x.respond(200, []);
    }, OLD);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('inform sends 1xx heads before the response', async () => {
  const answer = await answerOf((exchange) => {
    exchange.inform(103, ['Link', '</a.css>', 'Link', '</b.css>']);
    exchange.respond(200, [], 'x');
    exchange.inform(103, []);
  });
  expect(answer).toMatch(
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>\r\nLink: <\/b.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
  );
});

const INVALID: [what: string, answer: (exchange: Exchange) => void][] = [
  ['a line end in a value', (x) => x.respond(200, ['X', 'a\r\nSet-Cookie: b'], 'x')],
  ['a NUL in a value', (x) => x.respond(200, ['X', 'a\0'], 'x')],
  ['a character that is no byte', (x) => x.respond(200, ['X', '\u{20ac}'], 'x')],
  ['a line end in a name', (x) => x.respond(200, ['X\r\nSet-Cookie', 'a'], 'x')],
  ['an empty name', (x) => x.respond(200, ['', 'a'], 'x')],
  ['a line end in a reason', (x) => x.start(200, [], 'OK\r\nSet-Cookie: b')],
  ['a status that is none', (x) => x.start(20, [])],
  ['the status of a hint', (x) => x.respond(103, [], 'x')],
  ['no number for a status', (x) => x.respond(Number.NaN, [])],
];

test.each(INVALID)('%s is not sent: the request is answered 502, and its handler goes on', async (_what, answer) => {
  const errors: unknown[] = [];
  const { connect, faults, done } = await openTestDoor({
    onRequest: (exchange) => {
      answer(exchange);
      exchange.write(Buffer.from('x'));
      exchange.end();
    },
    onHandlerError: (error) => errors.push(error),
  });
  const client = await connect();
  expect(await client.ask(GET)).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(client.received).not.toContain('Set-Cookie');
  expect(faults).toEqual(['RESPONSE_INVALID']);
  await client.ask(GET, 2);
  expect(errors).toEqual([]);
  expect(done[0]).toMatchObject({ status: 502, fault: 'RESPONSE_INVALID', state: 'done' });
});

test('a hint that is not valid HTTP is left out', async () => {
  const answer = await answerOf((exchange) => {
    exchange.inform(103, ['Link', 'a\r\nSet-Cookie: b']);
    exchange.inform(101, []);
    exchange.respond(200, [], 'x');
  });
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test('a fault says its status, one sentence and the id, and keeps what is inside to itself', async () => {
  const answer = await answerOf((exchange) => {
    exchange.requestId = 'r-17';
    exchange.fail('QUEUE_FULL', 'slot 3 of /srv/app');
  });
  expect(headOf(answer)).toContain('Retry-After: 1');
  expect(answer).toMatch(/\r\n\r\n503 Service Unavailable\nToo many requests are waiting\.\nRequest r-17\n$/);
});

test('a handler that throws is answered 500, and its error is told', async () => {
  const errors: unknown[] = [];
  const { connect } = await openTestDoor({
    onRequest: () => {
      throw new Error('boom');
    },
    onHandlerError: (error) => errors.push(error),
  });
  const client = await connect();
  expect(await client.ask(GET)).toMatch(/^HTTP\/1\.1 500 /);
  expect(errors).toEqual([new Error('boom')]);
  expect(client.received).not.toContain('boom');
});

describe('a client that does not read', () => {
  const BIG = Buffer.alloc(32 * 1024 * 1024);

  test('is cut when it takes no byte for too long', async () => {
    const { connect, done } = await openTestDoor({
      limits: { sendMs: 300 },
      onRequest: (exchange) => exchange.respond(200, [], BIG),
    });
    const client = await connect();
    client.socket.pause();
    client.send(GET);
    await eventually(() => done.length > 0);
    expect(done[0]).toMatchObject({ state: 'gone', status: 200 });
  });

  test('is not cut while it takes some', async () => {
    const { connect, done } = await openTestDoor({
      limits: { sendMs: 1000 },
      onRequest: (exchange) => exchange.respond(200, [], BIG),
    });
    const client = await connect();
    let taken = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk) => {
      taken += chunk.length;
      // About 2 MiB a second at first: far longer than sendMs in all, never silent for so long.
      if (taken < 6 * 1024 * 1024) {
        client.socket.pause();
        setTimeout(() => client.socket.resume(), 30);
      }
    });
    client.send(GET);
    await eventually(() => done.length > 0);
    expect(done[0]?.state).toBe('done');
  });

  test('makes write return false, and onDrain is called once it reads', async () => {
    const { connect, handled } = await openTestDoor({ onRequest: (exchange) => exchange.start(200, []) });
    const client = await connect();
    client.socket.pause();
    client.send(GET);
    await eventually(() => handled.length > 0);
    const exchange = handled[0] as Exchange;
    let drained = 0;
    exchange.onDrain = () => drained++;
    while (exchange.write(Buffer.alloc(256 * 1024))) await new Promise(setImmediate);
    expect(drained).toBe(0);
    client.socket.resume();
    await eventually(() => drained === 1);
    expect(exchange.write(Buffer.from('x'))).toBe(true);
  });
});
