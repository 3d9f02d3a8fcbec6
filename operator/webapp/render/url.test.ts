import { expect, it } from 'vitest';
import { liveWebApp, SETTINGS } from './testing/samples.ts';
import { urlOf } from './url.ts';

const IN_CLUSTER = 'http://shop.web.svc.cluster.local';
const hosts = ['*.example.com', 'shop.example.com', 'b.example.com'];
const gateway = { type: 'HTTPRoute', parentRef: { name: 'g' } };

it.each([
  [{}, IN_CLUSTER],
  [{ hosts }, IN_CLUSTER],
  [{ hosts, expose: { type: 'Ingress' }, tls: { secretName: 'a' } }, 'https://shop.example.com'],
  [{ hosts, expose: { type: 'Ingress' } }, 'http://shop.example.com'],
  [{ hosts, expose: gateway }, 'https://shop.example.com'],
  [{ hosts, expose: { type: 'LoadBalancer' } }, 'http://shop.example.com'],
  [{ expose: { type: 'LoadBalancer' } }, IN_CLUSTER],
  [{ hosts: ['*.example.com'], expose: { type: 'Ingress' } }, IN_CLUSTER],
])('%j: %s', (proxy, url) => {
  expect(urlOf(liveWebApp({ proxy }), SETTINGS)).toBe(url);
});
