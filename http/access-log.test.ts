import { mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accessLine, openAccessLog, quote } from './access-log.ts';
import type { Exchange } from './exchange.ts';
import { answerOk, eventually, openTestDoor } from './test-door.ts';

function exchange(changes: Partial<Exchange> = {}): Exchange {
  const headers: Record<string, string> = { 'user-agent': 'curl/8', referer: 'https://a.example/' };
  return {
    method: 'GET',
    target: '/a?b=c',
    host: 'a.example',
    peer: { address: '192.0.2.1', port: 4711, encrypted: false, localAddress: '192.0.2.2', localPort: 80 },
    requestId: 'r1',
    startedAt: 100,
    status: 200,
    bytesSent: 42,
    fault: null,
    state: 'done',
    header: (name: string) => headers[name],
    ...changes,
  } as Exchange;
}

test('a line is one JSON object', () => {
  const line = accessLine(exchange(), Date.UTC(2026, 10, 22, 12, 0, 0, 7), 101.2346, '10.0.0.1:8000', 0.8);
  expect(line.endsWith('}\n')).toBe(true);
  expect(JSON.parse(line)).toEqual({
    time: '2026-11-22T12:00:00.007Z',
    id: 'r1',
    peer: '192.0.2.1',
    method: 'GET',
    host: 'a.example',
    target: '/a?b=c',
    status: 200,
    bytes: 42,
    ms: 1.235,
    upstream: '10.0.0.1:8000',
    upstreamMs: 0.8,
    agent: 'curl/8',
    referer: 'https://a.example/',
  });
});

test('what is not there is left out; faults and lost clients are told', () => {
  const changes = { requestId: '', header: () => undefined, fault: 'QUEUE_FULL', faultDetail: 'slot 3' } as const;
  const parsed = JSON.parse(accessLine(exchange({ ...changes, state: 'gone' }), 0, 100, '', -1));
  expect(parsed).toMatchObject({ fault: 'QUEUE_FULL', detail: 'slot 3', gone: true });
  expect(Object.keys(parsed)).not.toEqual(expect.arrayContaining(['id']));
  expect(Object.keys(parsed)).not.toEqual(expect.arrayContaining(['agent']));
  expect(Object.keys(parsed)).not.toEqual(expect.arrayContaining(['upstream']));
});

test.each([
  ['a quote', '"},{"status":500'],
  ['a line end', 'a\r\n{"forged":1}'],
  ['a backslash', 'a\\'],
  ['an escape sequence', '\x1b[2J'],
  ['an escape sequence of eight bits', '\x9b2J'],
  ['DEL', '\x7f'],
  ['NUL', '\0'],
  ['bytes above ASCII', 'caf\xe9'],
  ['a line separator', '\u2028'],
  ['half a character', '\ud800'],
])('%s from a client stays inside its string, as ASCII', (_what, hostile) => {
  const hosted = { target: hostile, host: hostile, method: hostile, requestId: hostile, header: () => hostile };
  const line = accessLine(exchange(hosted), 0, 100, hostile, -1);
  expect(line).toMatch(/^[ -~]*\n$/);
  expect(JSON.parse(line)).toMatchObject({ target: hostile, host: hostile, agent: hostile, id: hostile });
});

test('what is long is cut, before it is escaped', () => {
  expect(JSON.parse(quote('x'.repeat(10), 4))).toBe('xxxx...');
  expect(quote('\0'.repeat(100_000), 512).length).toBeLessThan(4000);
});

test('requests of a real door are written to a file, refused ones too', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'log-')), 'access.log');
  const log = openAccessLog({ file: path }, () => {});
  const { connect } = await openTestDoor({
    onRequest: answerOk,
    onDone: (done) => log.write(done, performance.now()),
  });
  const client = await connect();
  await client.ask('GET /one HTTP/1.1\r\nHost: a\r\nUser-Agent: me "and" you\r\n\r\n');
  await client.ask('GET /two HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 2);
  await eventually(() => readFileSync(path, 'utf8').split('\n').length === 3);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ target: '/one', status: 200, bytes: 2, agent: 'me "and" you', peer: '127.0.0.1' }),
    expect.objectContaining({ target: '/two', status: 400, fault: 'HOST_REPEATED' }),
  ]);
  await log.close();
});

test('after logrotate has moved the file away, lines go to a new one', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'log-')), 'access.log');
  const log = openAccessLog({ file: path }, () => {});
  log.write(exchange({ target: '/before' }), 100);
  renameSync(path, `${path}.1`);
  log.reopen();
  log.write(exchange({ target: '/after' }), 100);
  await log.close();
  expect(readFileSync(`${path}.1`, 'utf8')).toContain('/before');
  expect(readFileSync(path, 'utf8')).toMatch(/^.*\/after.*\n$/);
});

test('off is nowhere', async () => {
  const log = openAccessLog('off', () => {});
  log.write(exchange(), 100);
  log.reopen();
  await log.close();
  expect(log.dropped).toBe(0);
});
