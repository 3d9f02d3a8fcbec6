// The certificate of the hosts, as it comes, ages and is renewed.
import { expect, test } from 'vitest';
import type { ServedCertificate } from '../observed.ts';
import { NOON } from './testing/fake-cluster.ts';
import { conditions, said, steady } from './testing/scenario.ts';

const DAY_MS = 86_400_000;
const certificate: ServedCertificate = {
  secret: 'shop-tls',
  webApp: 'shop',
  field: 'spec.proxy.tls.secretName',
  issued: false,
  state: 'present',
  times: { expiresAt: NOON + 20 * DAY_MS, dueAt: NOON + 6 * DAY_MS },
};
const EXPIRES = '2026-12-12T12:00:00Z';

test('is told of when it is due, when it has expired, and is no problem once it is renewed; each is written once', () => {
  const cluster = steady();
  cluster.certificate = certificate;
  const plan = cluster.plan();
  expect(plan.status).toEqual(cluster.webApp.status);
  expect(cluster.wall + (plan.requeueAfterMs ?? 0)).toBe(NOON + 6 * DAY_MS);

  cluster.wall = NOON + 6 * DAY_MS;
  expect(said(cluster.settle())).toEqual(['Certificate']);
  expect(cluster.webApp.status).toMatchObject({
    state: 'Certificate',
    problems: [
      {
        type: 'Certificate',
        field: 'spec.proxy.tls.secretName',
        message: `The certificate in Secret shop-tls expires at ${EXPIRES}.`,
        mend: expect.stringContaining('kubectl create secret tls shop-tls'),
      },
    ],
  });
  expect(conditions(cluster.webApp.status)).toMatchObject({ Ready: 'True/Serving', Degraded: 'True/Certificate' });

  cluster.wall = NOON + 19 * DAY_MS;
  const { status, changes, events, requeueAfterMs } = cluster.plan();
  expect({ status, changes, events }).toEqual({ status: cluster.webApp.status, changes: [], events: [] });
  expect(cluster.wall + (requeueAfterMs ?? 0)).toBe(NOON + 20 * DAY_MS);

  cluster.wall = NOON + 20 * DAY_MS;
  cluster.settle();
  expect(cluster.webApp.status?.problems?.[0]?.message).toBe(
    `The certificate in Secret shop-tls expired at ${EXPIRES}.`,
  );

  cluster.certificate = { ...certificate, times: { expiresAt: NOON + 90 * DAY_MS, dueAt: NOON + 76 * DAY_MS } };
  expect(said(cluster.settle())).toEqual(['Recovered']);
  expect(cluster.webApp.status?.state).toBe('Serving');
});

test.each([
  ['missing', {}, 'There is no Secret shop-tls.'],
  ['present', {}, 'Secret shop-tls has no certificate in tls.crt that can be read.'],
  ['forbidden', {}, undefined],
  ['missing', { issued: true, field: 'spec.proxy.tls.issuerRef' }, undefined],
] as const)('%s %j', (state, more, message) => {
  const cluster = steady();
  const { times: _, ...without } = certificate;
  cluster.certificate = { ...without, state, ...more };
  cluster.settle();
  expect(cluster.webApp.status?.problems?.[0]?.message).toBe(message);
});

test('cert-manager is asked when it does not renew', () => {
  const cluster = steady();
  cluster.certificate = { ...certificate, issued: true, times: { expiresAt: NOON, dueAt: NOON } };
  cluster.settle();
  expect(cluster.webApp.status?.problems?.[0]?.mend).toContain('kubectl describe certificate shop');
});

test('an operator that has just started has not heard of it: what was told still holds', () => {
  const cluster = steady();
  cluster.certificate = { ...certificate, times: { expiresAt: NOON, dueAt: NOON } };
  cluster.settle();
  const { times: _, ...unheard } = certificate;
  cluster.certificate = { ...unheard, state: 'unknown' };
  const { status, changes, events } = cluster.plan();
  expect({ status, changes, events }).toEqual({ status: cluster.webApp.status, changes: [], events: [] });
});
