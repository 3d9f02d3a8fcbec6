import { expect, test } from 'vitest';
import { RecordedExchange } from './recorded-exchange.ts';
import { makeRequest } from './request.ts';

function make(headers: string[], trust = true) {
  const exchange = new RecordedExchange();
  exchange.headers = headers;
  return { exchange, request: makeRequest(exchange, trust, () => 'own') };
}

test.each([
  ['from the peer without X-Forwarded-For', [], '127.0.0.1'],
  ['one value', ['X-Forwarded-For', '203.0.113.7'], '203.0.113.7'],
  ['IPv6', ['x-forwarded-for', '2001:db8::1'], '2001:db8::1'],
  ['the value that the nearest proxy wrote', ['X-Forwarded-For', '6.6.6.6, 203.0.113.7'], '203.0.113.7'],
  ['the last header', ['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-For', '203.0.113.7'], '203.0.113.7'],
  ['not what is no address', ['X-Forwarded-For', '<script>'], '127.0.0.1'],
])('client address: %s', (_name, headers, wanted) => {
  expect(make(headers).request.clientAddress).toBe(wanted);
});

test.each([
  ['http by default', [], 'http'],
  ['https', ['X-Forwarded-Proto', 'https'], 'https'],
  ['any case', ['x-forwarded-proto', 'HTTPS'], 'https'],
  ['nothing else', ['X-Forwarded-Proto', 'gopher'], 'http'],
])('scheme: %s', (_name, headers, wanted) => {
  expect(make(headers).request.scheme).toBe(wanted);
});

test('nothing of it is believed from a peer that is not trusted', () => {
  const headers = ['X-Forwarded-For', '1.2.3.4', 'X-Forwarded-Proto', 'https', 'X-Request-Id', 'theirs'];
  const { exchange, request } = make(headers, false);
  expect(request).toMatchObject({ clientAddress: '127.0.0.1', scheme: 'http', headers });
  expect(exchange.requestId).toBe('own');
});

test.each([
  ['theirs', 'theirs'],
  ['', 'own'],
  ['with blank', 'own'],
  ['x'.repeat(129), 'own'],
])('request id %j becomes %j', (given, wanted) => {
  expect(make(['X-Request-Id', given]).exchange.requestId).toBe(wanted);
});

test.each([
  [[], false],
  [['Content-Length', '0'], true],
  [['content-length', '5'], true],
  [['Transfer-Encoding', 'chunked'], true],
])('a body with %j: %s', (headers, wanted) => expect(make(headers).request.hasBody).toBe(wanted));

test.each([
  ['GET', false],
  ['PUT', false],
  ['POST', true],
  ['PATCH', true],
])('%s asks to be accepted: %s', (method, wanted) => {
  const exchange = new RecordedExchange();
  exchange.method = method;
  expect(makeRequest(exchange, true, () => 'own').wantAccept).toBe(wanted);
});
