import { describe, expect, test } from 'vitest';
import { proxyConfigSchema } from '../../../core/config/proxy.ts';
import { parseAddress } from '../../../http/address.ts';
import { MAX_ENDPOINTS, makeEndpoints } from './endpoints.ts';
import { readSlice } from './slice.ts';

const PORTS = [{ name: 'http', port: 8000, protocol: 'TCP' }];
/** A slice as it travels. */
const slice = (endpoints: unknown, ports: unknown = PORTS, addressType = 'IPv4') => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-x', namespace: 'shop' },
  addressType,
  endpoints,
  ports,
});
const endpoint = (ip: string, conditions?: object) => ({ addresses: [ip], ...(conditions && { conditions }) });
const READY = { ready: true, serving: true, terminating: false };
const UNREADY = { ready: false, serving: false, terminating: false };
const LEAVING = { ready: false, serving: true, terminating: true };
const GONE = { ready: false, serving: false, terminating: true };

const found = (...slices: unknown[]) => makeEndpoints(slices.map(readSlice), 'http');
const addresses = (...slices: unknown[]) => found(...slices).addresses;

describe('which endpoints are used', () => {
  test.each<[string, unknown[], string[]]>([
    ['no slice', [], []],
    ['a slice without endpoints', [slice(null), slice([])], []],
    ['ready', [slice([endpoint('10.0.0.1', READY)])], ['10.0.0.1:8000']],
    [
      'conditions absent: ready',
      [slice([endpoint('10.0.0.1'), endpoint('10.0.0.2', {})])],
      ['10.0.0.1:8000', '10.0.0.2:8000'],
    ],
    ['conditions null: ready', [slice([endpoint('10.0.0.1', { ready: null, terminating: null })])], ['10.0.0.1:8000']],
    ['unready', [slice([endpoint('10.0.0.1', UNREADY)])], []],
    [
      'unready, though another condition says it serves',
      [slice([endpoint('10.0.0.1', { ready: false, serving: true })])],
      [],
    ],
    [
      'leaving, while another is ready',
      [slice([endpoint('10.0.0.1', LEAVING), endpoint('10.0.0.2', READY)])],
      ['10.0.0.2:8000'],
    ],
    [
      'leaving, while another is unready',
      [slice([endpoint('10.0.0.1', LEAVING), endpoint('10.0.0.2', UNREADY)])],
      ['10.0.0.1:8000'],
    ],
    [
      'all leaving: those that serve',
      [slice([endpoint('10.0.0.1', LEAVING), endpoint('10.0.0.2', GONE)])],
      ['10.0.0.1:8000'],
    ],
    ['all gone', [slice([endpoint('10.0.0.1', GONE)])], []],
    [
      'leaving in one slice, ready in another',
      [slice([endpoint('10.0.0.1', LEAVING)]), slice([endpoint('10.0.0.2', READY)])],
      ['10.0.0.2:8000'],
    ],
    [
      'leaving, serving not said: as ready says',
      [slice([endpoint('10.0.0.1', { ready: false, terminating: true })])],
      [],
    ],
    [
      'publishNotReadyAddresses calls a pod ready that is being deleted: it is not',
      [slice([endpoint('10.0.0.1', { ready: true, serving: true, terminating: true }), endpoint('10.0.0.2', READY)])],
      ['10.0.0.2:8000'],
    ],
    [
      'several slices, in any order',
      [slice([endpoint('10.0.0.9')]), slice([endpoint('10.0.0.1')])],
      ['10.0.0.1:8000', '10.0.0.9:8000'],
    ],
    [
      'twice in one slice and in another',
      [slice([endpoint('10.0.0.1'), endpoint('10.0.0.1')]), slice([endpoint('10.0.0.1')])],
      ['10.0.0.1:8000'],
    ],
    [
      'moving between slices, ready in one of them',
      [slice([endpoint('10.0.0.1', UNREADY)]), slice([endpoint('10.0.0.1', READY)])],
      ['10.0.0.1:8000'],
    ],
    [
      'moving between slices, leaving in one of them',
      [slice([endpoint('10.0.0.1', LEAVING), endpoint('10.0.0.2')]), slice([endpoint('10.0.0.1', READY)])],
      ['10.0.0.2:8000'],
    ],
    [
      'moving between slices, gone in one of them',
      [slice([endpoint('10.0.0.1', GONE)]), slice([endpoint('10.0.0.1', LEAVING)])],
      [],
    ],
    ['IPv6 in brackets', [slice([endpoint('fd00::1')], PORTS, 'IPv6')], ['[fd00::1]:8000']],
    [
      'both families',
      [slice([endpoint('fd00::1')], PORTS, 'IPv6'), slice([endpoint('10.0.0.1')])],
      ['10.0.0.1:8000', '[fd00::1]:8000'],
    ],
    ['the first address of several', [slice([{ addresses: ['10.0.0.1', '10.0.0.2'] }])], ['10.0.0.1:8000']],
    [
      'the port of that name, in each slice its own',
      [
        slice(
          [endpoint('10.0.0.1')],
          [
            { name: 'admin', port: 9000 },
            { name: 'http', port: 8080 },
          ],
        ),
        slice([endpoint('10.0.0.2')], [{ name: 'http', port: 8081 }]),
      ],
      ['10.0.0.1:8080', '10.0.0.2:8081'],
    ],
    ['no port of that name', [slice([endpoint('10.0.0.1')], [{ name: 'admin', port: 9000 }])], []],
    ['ports null: all of them, so none is known', [slice([endpoint('10.0.0.1')], null)], []],
    ['a port without number', [slice([endpoint('10.0.0.1')], [{ name: 'http' }])], []],
    ['a port of UDP', [slice([endpoint('10.0.0.1')], [{ name: 'http', port: 8000, protocol: 'UDP' }])], []],
  ])('%s', (_, slices, wanted) => {
    expect(addresses(...slices)).toEqual(wanted);
    expect(addresses(...slices.toReversed())).toEqual(wanted);
  });

  test('it is told when only those that are leaving are used', () => {
    expect(found(slice([endpoint('10.0.0.1', LEAVING)])).leaving).toBe(true);
    expect(found(slice([endpoint('10.0.0.1')])).leaving).toBe(false);
    expect(found().leaving).toBe(false);
  });
});

describe('what is no endpoint is left out, and the others are used', () => {
  const good = endpoint('10.0.0.1');
  test.each<[string, unknown]>([
    ['no address', {}],
    ['an empty list', { addresses: [] }],
    ['a name', endpoint('worker.example.com')],
    ['a number', { addresses: [1] }],
    ['an address with a zone', endpoint('fe80::1%eth0')],
    ['an address with a port', endpoint('10.0.0.2:80')],
    ['a path', endpoint('unix:/run/admin.sock')],
    ['an address with a line end', endpoint('10.0.0.2\r\nx')],
    ['an address out of range', endpoint('10.0.0.256')],
    ['null', null],
    ['text', 'endpoint'],
    ['a list', [[]]],
  ])('an endpoint: %s', (_, bad) => {
    expect(found(slice([bad, good, bad]))).toEqual({ addresses: ['10.0.0.1:8000'], leaving: false, ignored: 2 });
  });

  test.each([0, -1, 65_536, 8000.5, '8000', null, Number.NaN, {}])('a port: %j', (port) => {
    expect(found(slice([good], [{ name: 'http', port }]), slice([endpoint('10.0.0.2')]))).toMatchObject({
      addresses: ['10.0.0.2:8000'],
      ignored: 1,
    });
  });

  test.each([null, undefined, 1, 'slice', [], {}, { metadata: null, endpoints: {}, ports: 'x' }])(
    'a slice: %j',
    (bad) => {
      expect(addresses(bad, slice([good]))).toEqual(['10.0.0.1:8000']);
    },
  );
});

describe('bounds', () => {
  const ips = (count: number, second = 0) =>
    Array.from({ length: count }, (_, i) => endpoint(`10.${second}.${Math.floor(i / 250)}.${(i % 250) + 1}`));

  test('10,000 endpoints in a hundred slices are all used, and the configuration takes them', () => {
    const slices = Array.from({ length: 100 }, (_, i) => slice(ips(100, i)));
    const { addresses: all, ignored } = found(...slices);
    expect([all.length, ignored]).toEqual([10_000, 0]);
    const endpoints = proxyConfigSchema.shape.groups.element.shape.endpoints;
    expect(endpoints.safeParse(all.map((address) => ({ address }))).success).toBe(true);
    for (const address of all) parseAddress(address);
  });

  test('more are not, and it is told', () => {
    const slices = Array.from({ length: 101 }, (_, i) => slice(ips(100, i)));
    expect(found(...slices)).toMatchObject({ addresses: { length: MAX_ENDPOINTS }, ignored: 100 });
  });

  test('a slice of more than the API server lets it hold is cut', () => {
    expect(readSlice(slice(ips(2000))).endpoints.length).toBe(1000);
  });
});

test('of a slice only what is needed is kept', () => {
  const long = slice([{ ...endpoint('10.0.0.1'), targetRef: { name: 'pod' }, nodeName: 'n', zone: 'z' }]);
  const { metadata, ...rest } = readSlice({
    ...long,
    metadata: { ...long.metadata, uid: 'u', resourceVersion: '7', labels: { a: 'b' } },
  });
  expect(metadata).toEqual({ name: 'web-x', namespace: 'shop', uid: 'u', resourceVersion: '7' });
  expect(rest).toEqual({
    endpoints: [{ ip: '10.0.0.1', condition: 'ready' }],
    ports: [{ name: 'http', port: 8000 }],
    ignored: 0,
  });
});
