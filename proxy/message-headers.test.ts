import { describe, expect, test } from 'vitest';
import type { Peer } from '../http/exchange.ts';
import { makeClientHeaders, makeInformHeaders, makeUpstreamHeaders } from './message-headers.ts';

const peer: Peer = { address: '192.0.2.60', port: 5, encrypted: false, localAddress: '::1', localPort: 8080 };

const upstream = (received: readonly string[], host = 'a.example'): Map<string, string> =>
  pairs(makeUpstreamHeaders(received, host, peer, 'id-1'));

/** Fails on a repeated name: a test that means to see repeats looks at the array. */
function pairs(headers: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    expect(map.has(name), `${name} twice`).toBe(false);
    map.set(name, headers[i + 1] ?? '');
  }
  return map;
}

describe('request', () => {
  test('end-to-end fields pass as they came; ours follow', () => {
    expect(
      makeUpstreamHeaders(['hOsT', 'a.example', 'Accept', '*/*', 'Cookie', 'a=1'], 'a.example', peer, 'id-1'),
    ).toEqual([
      'hOsT',
      'a.example',
      'Accept',
      '*/*',
      'Cookie',
      'a=1',
      'X-Forwarded-For',
      '192.0.2.60',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'a.example',
      'X-Forwarded-Port',
      '80',
      'Forwarded',
      'for=192.0.2.60;host=a.example;proto=http',
      'X-Request-Id',
      'id-1',
      'Via',
      '1.1 webapp-proxy',
    ]);
  });

  test('what the client says of itself is replaced, in any case and repeated', () => {
    const headers = upstream([
      'Host',
      'a.example',
      'X-Forwarded-For',
      '6.6.6.6',
      'x-forwarded-for',
      '7.7.7.7',
      'X-FORWARDED-PROTO',
      'https',
      'Forwarded',
      'for=6.6.6.6',
      'X-Real-IP',
      '6.6.6.6',
      'X-Request-Id',
      'chosen',
    ]);
    expect([...headers.values()].join(' ')).not.toMatch(/6\.6\.6\.6|7\.7\.7\.7|https|chosen/);
    expect(headers.get('x-forwarded-for')).toBe('192.0.2.60');
    expect(headers.get('x-request-id')).toBe('id-1');
  });

  test('framing, Expect and hop-by-hop fields are gone', () => {
    const headers = upstream([
      'Host',
      'a.example',
      'Content-Length',
      '5',
      'Transfer-Encoding',
      'chunked',
      'Expect',
      '100-continue',
      'TE',
      'trailers',
      'Trailer',
      'x-sum',
      'Upgrade',
      'h2c',
      'Keep-Alive',
      'timeout=5',
      'Proxy',
      'http://evil',
      'Proxy-Authorization',
      'Basic x',
      'Connection',
      'keep-alive',
    ]);
    expect([...headers.keys()]).toEqual([
      'host',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-forwarded-port',
      'forwarded',
      'x-request-id',
      'via',
    ]);
  });

  test('Connection takes away what it names, never what must stay (CVE-2024-45410)', () => {
    const headers = upstream([
      'Host',
      'a.example',
      'Connection',
      'X-Hop, X-Forwarded-For, X-Forwarded-Proto, Forwarded, X-Request-Id, Host, Via, Content-Type',
      'X-Hop',
      '1',
      'Content-Type',
      'text/plain',
    ]);
    expect(headers.has('x-hop')).toBe(false);
    expect(headers.get('host')).toBe('a.example');
    expect(headers.get('content-type')).toBe('text/plain');
    expect(headers.get('x-forwarded-for')).toBe('192.0.2.60');
    expect(headers.get('x-request-id')).toBe('id-1');
  });

  test('several Connection fields count together, and may stand before what they name', () => {
    const headers = upstream([
      'Connection',
      'x-a',
      'X-A',
      '1',
      'X-B',
      '2',
      'X-C',
      '3',
      'Connection',
      'x-b',
      'Host',
      'h',
    ]);
    expect(headers.has('x-a') || headers.has('x-b')).toBe(false);
    expect(headers.get('x-c')).toBe('3');
  });

  test('a client of HTTP/1.0 without Host: the local address stands in', () => {
    expect(upstream([], '').get('host')).toBe('[::1]:8080');
    expect(upstream([], '').has('x-forwarded-host')).toBe(false);
  });

  test('the Via of proxies before us stays in front of ours', () => {
    const headers = makeUpstreamHeaders(['Via', '1.1 cdn'], 'h', peer, 'id');
    expect(headers.filter((_, i) => headers[i - 1] === 'Via')).toEqual(['1.1 cdn', '1.1 webapp-proxy']);
  });
});

describe('response', () => {
  test('repeats such as Set-Cookie stay; Date, Server and the request id are there once', () => {
    const received = ['Date', 'd1', 'Server', 's1', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'date', 'd2', 'SERVER', 's2'];
    expect(makeClientHeaders([...received, 'x-request-id', 'theirs'], 'ours')).toEqual([
      'X-Request-Id',
      'ours',
      'Date',
      'd1',
      'Server',
      's1',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
    ]);
  });

  test('hop-by-hop fields and what Connection names are gone; Content-Length stays', () => {
    const received = ['Connection', 'close, x-hop, content-length', 'X-Hop', '1', 'Content-Length', '5'];
    const framing = ['Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=5', 'Upgrade', 'websocket', 'Trailer', 'x'];
    expect(makeClientHeaders([...received, ...framing], 'id')).toEqual(['X-Request-Id', 'id', 'Content-Length', '5']);
  });

  test('a 1xx carries its own fields only', () => {
    expect(makeInformHeaders(['Link', '</a.css>', 'Connection', 'x', 'Content-Length', '0'])).toEqual([
      'Link',
      '</a.css>',
    ]);
  });
});
