import { expect, it } from 'vitest';
import { referencesOf } from './references.ts';
import { EVERY_FIELD, liveWebApp } from './testing/samples.ts';

it('each object once, with the first field that names it and all keys', () => {
  const env = [
    ...EVERY_FIELD.env,
    { name: 'AGAIN', valueFrom: { secretKeyRef: { name: 'shop', key: 'user' } } },
    { name: 'TWICE', valueFrom: { secretKeyRef: { name: 'shop', key: 'password' } } },
  ];
  expect(referencesOf(liveWebApp({ ...EVERY_FIELD, env }))).toEqual([
    { kind: 'Secret', name: 'shop', field: 'spec.env[1].valueFrom.secretKeyRef', keys: ['password', 'user'] },
    { kind: 'ConfigMap', name: 'colours', field: 'spec.env[2].valueFrom.configMapKeyRef', keys: ['colour'] },
    { kind: 'ConfigMap', name: 'more', field: 'spec.envFrom[1].configMapRef', keys: [] },
    { kind: 'Secret', name: 'keys', field: 'spec.files[0].secretName', keys: [] },
  ]);
});

it('a Secret and a ConfigMap of one name are two', () => {
  const envFrom = [{ secretRef: { name: 'a' } }, { configMapRef: { name: 'a' } }];
  expect(referencesOf(liveWebApp({ envFrom })).map(({ kind, field }) => [kind, field])).toEqual([
    ['Secret', 'spec.envFrom[0].secretRef'],
    ['ConfigMap', 'spec.envFrom[1].configMapRef'],
  ]);
});

it('those for pulling images and for TLS are none of them', () => {
  const proxy = { hosts: ['a.b'], expose: { type: 'Ingress' }, tls: { secretName: 'cert' } };
  expect(referencesOf(liveWebApp({ imagePullSecrets: [{ name: 'registry' }], proxy }))).toEqual([]);
});
