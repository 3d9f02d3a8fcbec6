import { describe, expect, test } from 'vitest';
import { parseWebApps } from '../core/app/manifest-file.ts';
import type { WebApp } from '../core/app/schema.ts';
import { clusterFieldsOf, clusterNotes, specHere, unsetVariables } from './cluster-only.ts';

function webApp(spec: object): WebApp {
  const manifest = {
    apiVersion: 'webapp-operator.io/v1alpha1',
    kind: 'WebApp',
    metadata: { name: 'shop' },
    spec: { image: 'x', app: 'shop:app', ...spec },
  };
  const { webApps, problems } = parseWebApps(JSON.stringify(manifest));
  if (!webApps[0]) throw new Error(JSON.stringify(problems));
  return webApps[0].webApp;
}
const secret = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: 'shop', key: 'k' } } });

describe('fields that nothing here reads', () => {
  test.each<[string, object, string[]]>([
    ['none', {}, []],
    ['what is used here too', { workers: { processes: 3 }, env: [{ name: 'A', value: 'b' }], suspend: true }, []],
    ['a default that is written', { replicas: 2, proxy: { replicas: 2 } }, []],
    ['replicas', { replicas: 5 }, ['replicas']],
    [
      'much',
      {
        resources: { limits: { memory: '1Gi' } },
        envFrom: [{ secretRef: { name: 'shop' } }],
        files: [{ path: '/etc/shop', secretName: 'shop' }],
        volumes: [{ name: 'data', path: '/data', emptyDir: {} }],
        imagePullSecrets: [{ name: 'registry' }],
        serviceAccountName: 'shop',
        migrate: { command: ['true'] },
        autoscaling: { maxReplicas: 9 },
        rollout: { autoRollback: true },
        monitoring: { serviceMonitor: true },
        podTemplate: { spec: { nodeName: 'x' } },
        proxy: { replicas: 3, hosts: ['shop.example.com'], expose: { type: 'Ingress' }, tls: { secretName: 'tls' } },
      },
      [
        ...['resources', 'envFrom', 'files', 'volumes', 'imagePullSecrets', 'serviceAccountName', 'proxy.replicas'],
        ...[
          'proxy.hosts',
          'proxy.expose',
          'proxy.tls',
          'migrate',
          'autoscaling',
          'rollout',
          'monitoring',
          'podTemplate',
        ],
      ],
    ],
  ])('%s', (_, spec, fields) => expect(clusterFieldsOf(webApp(spec))).toEqual(fields));
});

test('variables that only the cluster knows, unless they are set in the terminal', () => {
  const app = webApp({ env: [secret('A'), secret('B'), { name: 'C', value: 'c' }, { name: 'D' }] });
  expect(unsetVariables(app, {})).toEqual(['A', 'B']);
  expect(unsetVariables(app, { A: '', X: 'y' })).toEqual(['B']);
});

test('what is said to a person', () => {
  expect(clusterNotes(webApp({}), {})).toEqual([]);
  expect(clusterNotes(webApp({ replicas: 3, suspend: true, env: [secret('A')] }), {})).toEqual([
    'for Kubernetes, not used here: replicas',
    'not set here: A (env[].valueFrom); set them in this terminal',
    'suspended: the proxy answers 503 with a maintenance page, the worker idles',
  ]);
});

test('what is in force here is the same whatever the cluster is told', () => {
  const plain = { workers: { processes: 3 }, env: [{ name: 'C', value: 'c' }] };
  const more = { replicas: 7, proxy: { hosts: ['a.example.com'] }, env: [...plain.env, secret('A')], image: 'y' };
  const seen = (spec: object) => JSON.parse(JSON.stringify(specHere(webApp(spec))));
  expect(seen({ ...plain, ...more })).toEqual(seen(plain));
  expect(seen(plain)).toMatchObject({ workers: { processes: 3 }, proxy: { limits: { body: '10Mi' } } });
});
