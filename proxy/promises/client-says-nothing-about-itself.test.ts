// What a worker is told of the client is the proxy's word alone, and what belongs to one connection ends at the proxy.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, type ProxyProcess, RawClient, startApp, startProxy } from './rig.ts';

let app: App;
let proxy: ProxyProcess;

beforeAll(async () => {
  app = await startApp((request, response) => {
    response.setHeader('X-Request-Id', 'from the application');
    response.end(JSON.stringify(request.rawHeaders));
  });
  proxy = await startProxy([app.address]);
});
afterAll(async () => {
  await proxy.close();
  await app.close();
});

/** @returns what the application saw, by lower-case name, and the answer's head */
async function seenWith(fields: string): Promise<{ seen: Map<string, string[]>; head: string }> {
  const client = new RawClient(proxy.port).send(
    `GET / HTTP/1.1\r\nHost: shop.example.com:8443\r\n${fields}Connection: close\r\n\r\n`,
  );
  await client.closes();
  const [head = '', body = ''] = client.received.split('\r\n\r\n');
  const raw: string[] = JSON.parse(body.slice(body.indexOf('['), body.lastIndexOf(']') + 1));
  const seen = new Map<string, string[]>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    seen.set(name, [...(seen.get(name) ?? []), raw[i + 1] ?? '']);
  }
  return { seen, head };
}

test('spoofed forwarded fields do not pass', async () => {
  const { seen } = await seenWith(
    [
      'X-Forwarded-For: 6.6.6.6',
      'x-forwarded-for: 6.6.6.7',
      'X-FORWARDED-PROTO: https',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Port: 1',
      'X-Forwarded-Prefix: /evil',
      'X_Forwarded_For: 6.6.6.6',
      'X.Forwarded.For: 6.6.6.6',
      'Forwarded: for=6.6.6.6;proto=https',
      'X-Real-IP: 6.6.6.6',
      'X-Request-Id: chosen',
      '',
    ].join('\r\n'),
  );
  expect(JSON.stringify([...seen])).not.toMatch(/6\.6\.6|evil|chosen/);
  expect(seen.get('x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(seen.get('x-forwarded-proto')).toEqual(['http']);
  expect(seen.get('x-forwarded-host')).toEqual(['shop.example.com:8443']);
  expect(seen.get('x-forwarded-port')).toEqual(['8443']);
  expect(seen.get('forwarded')).toEqual(['for=127.0.0.1;host="shop.example.com:8443";proto=http']);
  expect(seen.get('host')).toEqual(['shop.example.com:8443']);
});

test('Connection cannot strip what we say (CVE-2024-45410), and strips what it may', async () => {
  const { seen } = await seenWith('Connection: X-Forwarded-For, Forwarded, X-Request-Id, Host, X-Hop\r\nX-Hop: 1\r\n');
  expect(seen.get('x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(seen.get('x-request-id')?.[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(seen.get('host')).toEqual(['shop.example.com:8443']);
  expect(seen.has('x-hop')).toBe(false);
});

test('httpoxy, credentials for proxies and other hop-by-hop fields end here', async () => {
  const { seen } = await seenWith(
    'Proxy: http://evil\r\nProxy-Authorization: Basic x\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n',
  );
  for (const name of ['proxy', 'proxy-authorization', 'te', 'keep-alive', 'upgrade'])
    expect(seen.has(name)).toBe(false);
});

test('client, worker and access log name a request alike, and no two are named alike', async () => {
  const [first, second] = [await seenWith(''), await seenWith('')];
  const id = first.seen.get('x-request-id')?.[0];
  expect(first.head.match(/^x-request-id: .*$/gim)).toEqual([`X-Request-Id: ${id}`]);
  expect(second.seen.get('x-request-id')?.[0]).not.toBe(id);
  await expect
    .poll(() => proxy.access.find((line) => line['id'] === id))
    .toMatchObject({ status: 200, upstream: app.address });
});
