import { expect, test } from 'vitest';
import { readPodRefusal, withoutPodName } from './refusals.ts';

test.each([
  [
    'pods "shop-worker-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1',
    'QuotaExceeded',
    'spec.resources',
  ],
  ['pods "a" is forbidden: failed quota: compute: must specify limits.cpu for: app', 'QuotaExceeded', 'spec.resources'],
  [
    'pods "a" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
    'QuotaExceeded',
    'spec.resources',
  ],
  [
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    'PodsRefused',
    'spec.podTemplate',
  ],
  [
    'pods "a" is forbidden: error looking up service account web/me: serviceaccount "me" not found',
    'PodsRefused',
    'spec.serviceAccountName',
  ],
  ['admission webhook "policy.example.com" denied the request: no', 'PodsRefused', 'spec.podTemplate'],
  ['Pod "a" is invalid: spec.containers[1].image: Required value', 'PodsRefused', 'spec.podTemplate'],
])('%s', (message, type, field) => {
  expect(readPodRefusal(message, 'spec.podTemplate', 'spec.resources')).toMatchObject({
    type,
    field,
    mend: expect.stringMatching(/./),
  });
});

test('each try to make a pod has another name, which is left out', () => {
  const words = (name: string) => withoutPodName(`pods "${name}" is forbidden: exceeded quota: small`);
  expect(words('shop-worker-6d-x2k4z')).toBe('exceeded quota: small');
  expect(words('shop-worker-6d-x2k4z')).toBe(words('shop-worker-6d-9qqq7'));
});
