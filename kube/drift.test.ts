import { describe, expect, it } from 'vitest';
import { findDrift, withIntentHash } from './drift.ts';
import type { KubeObject } from './object.ts';

const OWNER = { apiVersion: 'example.com/v1', kind: 'Thing', name: 'shop', uid: 'u1', controller: true };

function object(kind: string, rest: Record<string, unknown>, metadata: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'shop', ...metadata }, ...rest };
}
const spec = (kind: string, fields: Record<string, unknown>) => object(kind, { spec: fields });
const pod = (fields: Record<string, unknown>) => spec('Deployment', { template: { spec: fields } });
const container = (fields: Record<string, unknown>) => pod({ containers: [{ name: 'app', ...fields }] });

const ROWS: readonly [string, KubeObject, KubeObject, string | undefined][] = [
  ['the same', spec('X', { a: 1, b: [1, 2], c: { d: 'e' } }), spec('X', { a: 1, b: [1, 2], c: { d: 'e' } }), undefined],
  ['a default beside', spec('X', { a: 1 }), spec('X', { a: 1, b: 2 }), undefined],
  ['a status beside', spec('X', { a: 1 }), { ...spec('X', { a: 1 }), status: { ready: 1 } }, undefined],
  ['another value', spec('X', { a: 1 }), spec('X', { a: 2 }), 'spec.a'],
  ['a text for a number', spec('X', { a: 80 }), spec('X', { a: '80' }), 'spec.a'],
  ['a missing value', spec('X', { a: 'b' }), spec('X', {}), 'spec.a'],
  ['a missing part', spec('X', { a: { b: 1 } }), object('X', {}), 'spec'],
  ['a list for a map', spec('X', { a: { b: 1 } }), spec('X', { a: [1] }), 'spec.a'],
  ['a map for a list', spec('X', { a: [1] }), spec('X', { a: { 0: 1 } }), 'spec.a'],
  ['null for a map', spec('X', { a: { b: 1 } }), spec('X', { a: null }), 'spec.a'],
  ['data outside spec', object('ConfigMap', { data: { a: '1' } }), object('ConfigMap', { data: { a: '2' } }), 'data.a'],
  ['not written: no wish', spec('X', { a: undefined }), spec('X', { a: 1 }), undefined],

  [
    'false that the server leaves out',
    container({ volumeMounts: [{ mountPath: '/a', readOnly: false }] }),
    container({ volumeMounts: [{ mountPath: '/a' }] }),
    undefined,
  ],
  [
    'an empty value that the server leaves out',
    container({ env: [{ name: 'A', value: '' }] }),
    container({ env: [{ name: 'A' }] }),
    undefined,
  ],
  [
    'false that it keeps',
    container({ securityContext: { allowPrivilegeEscalation: false } }),
    container({ securityContext: {} }),
    'spec.template.spec.containers[app].securityContext.allowPrivilegeEscalation',
  ],
  ['an empty map that the server leaves out', pod({ nodeSelector: {} }), pod({}), undefined],
  [
    'an empty map that it keeps',
    pod({ volumes: [{ name: 'a', emptyDir: {} }] }),
    pod({ volumes: [{ name: 'a' }] }),
    'spec.template.spec.volumes[a].emptyDir',
  ],
  ['no replicas for none', spec('Deployment', { replicas: 0 }), spec('Deployment', {}), 'spec.replicas'],
  ['false for true', spec('X', { a: false }), spec('X', { a: true }), 'spec.a'],

  ['a label', object('X', {}, { labels: { a: '1' } }), object('X', {}, { labels: { a: '2' } }), 'metadata.labels[a]'],
  [
    'labels of others',
    object('X', {}, { labels: { a: '1' } }),
    object('X', {}, { labels: { a: '1', b: '2' } }),
    undefined,
  ],
  ['no labels', object('X', {}, { labels: { a: '1' } }), object('X', {}), 'metadata.labels[a]'],
  [
    'an annotation',
    object('X', {}, { annotations: { 'x/y': '1' } }),
    object('X', {}, { annotations: {} }),
    'metadata.annotations[x/y]',
  ],
  [
    'what the server writes',
    object('X', {}, { labels: { a: '1' } }),
    object('X', {}, { labels: { a: '1' }, uid: 'u', resourceVersion: '7', generation: 3 }),
    undefined,
  ],
  [
    'the owner',
    object('X', {}, { ownerReferences: [OWNER] }),
    object('X', {}, { ownerReferences: [{ ...OWNER, uid: 'u0' }, OWNER] }),
    undefined,
  ],
  [
    'another owner',
    object('X', {}, { ownerReferences: [OWNER] }),
    object('X', {}, { ownerReferences: [{ ...OWNER, uid: 'u2' }] }),
    'metadata.ownerReferences[u1]',
  ],
  [
    'an owner that no longer controls',
    object('X', {}, { ownerReferences: [OWNER] }),
    object('X', {}, { ownerReferences: [{ ...OWNER, controller: false }] }),
    'metadata.ownerReferences[u1]',
  ],

  [
    'containers by name',
    pod({ containers: [{ name: 'app', image: 'a' }] }),
    pod({
      containers: [
        { name: 'mesh', image: 'm' },
        { name: 'app', image: 'a', imagePullPolicy: 'Always' },
      ],
    }),
    undefined,
  ],
  [
    'a container gone',
    pod({ containers: [{ name: 'app' }, { name: 'log' }] }),
    pod({ containers: [{ name: 'app' }] }),
    'spec.template.spec.containers[log]',
  ],
  [
    'env by name',
    container({ env: [{ name: 'A', value: '1' }] }),
    container({
      env: [
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ],
    }),
    undefined,
  ],
  [
    'env of another value',
    container({ env: [{ name: 'A', value: '1' }] }),
    container({ env: [{ name: 'A', value: '2' }] }),
    'spec.template.spec.containers[app].env[A].value',
  ],
  [
    'a text that is no quantity',
    container({ env: [{ name: 'A', value: '1' }] }),
    container({ env: [{ name: 'A', value: '1000m' }] }),
    'spec.template.spec.containers[app].env[A].value',
  ],
  [
    'envFrom as a whole',
    container({ envFrom: [{ secretRef: { name: 'a' } }] }),
    container({ envFrom: [{ secretRef: { name: 'b' } }, { secretRef: { name: 'a' } }] }),
    'spec.template.spec.containers[app].envFrom',
  ],
  [
    'tolerations as a whole',
    pod({ tolerations: [{ key: 'a' }] }),
    pod({ tolerations: [{ key: 'b' }, { key: 'a' }] }),
    'spec.template.spec.tolerations',
  ],
  [
    'ports of containers',
    container({ ports: [{ containerPort: 1, name: 'a' }] }),
    container({
      ports: [
        { containerPort: 1, name: 'b', protocol: 'UDP' },
        { containerPort: 1, name: 'a', protocol: 'TCP' },
      ],
    }),
    undefined,
  ],
  [
    'ports of Services',
    spec('Service', { ports: [{ port: 80, protocol: 'TCP', targetPort: 'http' }] }),
    spec('Service', {
      ports: [
        { port: 81, protocol: 'TCP' },
        { port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30000 },
      ],
    }),
    undefined,
  ],
  [
    'a port of a Service',
    spec('Service', { ports: [{ port: 80, protocol: 'TCP', targetPort: 'http' }] }),
    spec('Service', { ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] }),
    'spec.ports[80/TCP].targetPort',
  ],
  [
    'two spreads of a key',
    pod({ topologySpreadConstraints: [{ topologyKey: 'a', whenUnsatisfiable: 'X', maxSkew: 1 }] }),
    pod({
      topologySpreadConstraints: [
        { topologyKey: 'a', whenUnsatisfiable: 'Y', maxSkew: 2 },
        { topologyKey: 'a', whenUnsatisfiable: 'X', maxSkew: 1 },
      ],
    }),
    undefined,
  ],
  [
    'words in another order',
    container({ args: ['a', 'b'] }),
    container({ args: ['b', 'a'] }),
    'spec.template.spec.containers[app].args[0]',
  ],
  [
    'a list where elements are no maps',
    pod({ containers: ['app'] }),
    pod({ containers: ['app'] }),
    'spec.template.spec.containers[]',
  ],

  [
    'a rule more in a NetworkPolicy',
    spec('NetworkPolicy', { ingress: [{ ports: [{ port: 1 }] }] }),
    spec('NetworkPolicy', { ingress: [{ ports: [{ port: 1 }] }, {}] }),
    'spec.ingress',
  ],
  [
    'a port more in a NetworkPolicy',
    spec('NetworkPolicy', { ingress: [{ ports: [{ port: 1, protocol: 'TCP' }] }] }),
    spec('NetworkPolicy', { ingress: [{ ports: [{ port: 1, protocol: 'TCP', endPort: 65535 }] }] }),
    'spec.ingress[0].ports[0].endPort',
  ],
  [
    'peers that were let in',
    spec('NetworkPolicy', { ingress: [{ ports: [{ port: 1 }] }] }),
    spec('NetworkPolicy', { ingress: [{ ports: [{ port: 1 }], from: [{}] }] }),
    'spec.ingress[0].from',
  ],
  [
    'a verb more in a Role',
    object('Role', { rules: [{ verbs: ['get'] }] }),
    object('Role', { rules: [{ verbs: ['get', '*'] }] }),
    'rules[0].verbs',
  ],
  [
    'a selector with a label more',
    spec('Service', { selector: { a: '1' } }),
    spec('Service', { selector: { a: '1', b: '2' } }),
    'spec.selector.b',
  ],
  [
    'defaults in a list of a custom resource',
    spec('HTTPRoute', { parentRefs: [{ name: 'g' }] }),
    spec('HTTPRoute', { parentRefs: [{ name: 'g', kind: 'Gateway' }] }),
    undefined,
  ],

  [
    'quantities by value',
    container({ resources: { limits: { cpu: '0.5', memory: '1Gi' }, requests: { cpu: 1 } } }),
    container({ resources: { limits: { cpu: '500m', memory: '1024Mi' }, requests: { cpu: '1' } } }),
    undefined,
  ],
  [
    'another quantity',
    container({ resources: { limits: { cpu: '0.5' } } }),
    container({ resources: { limits: { cpu: '501m' } } }),
    'spec.template.spec.containers[app].resources.limits.cpu',
  ],
  [
    'no quantity',
    container({ resources: { limits: { cpu: '1' } } }),
    container({ resources: { limits: {} } }),
    'spec.template.spec.containers[app].resources.limits.cpu',
  ],
  [
    'size of an emptyDir',
    pod({ volumes: [{ name: 'a', emptyDir: { sizeLimit: '1024Mi' } }] }),
    pod({ volumes: [{ name: 'a', emptyDir: { sizeLimit: '1Gi' } }] }),
    undefined,
  ],
];

describe('findDrift', () => {
  it.each(ROWS)('%s', (_, desired, live, path) => {
    expect(findDrift(desired, live)).toBe(path);
  });

  it('reads neither prototype nor hostile field names', () => {
    const live = spec('X', {});
    expect(findDrift(spec('X', { constructor: 'a', toString: { a: 1 } }), live)).toBeDefined();
    const keyed = spec('X', { hasOwnProperty: [{ name: 'a' }], constructor: [{ name: 'a' }] });
    expect(findDrift(keyed, structuredClone(keyed))).toBeUndefined();
  });
});

describe('withIntentHash', () => {
  const NAME = 'example.com/intent';
  const hashOf = (one: KubeObject) => withIntentHash(one, NAME).metadata.annotations?.[NAME];

  it('lays the hash beside the annotations and leaves the argument alone', () => {
    const given = Object.freeze(object('X', { a: 1 }, Object.freeze({ annotations: Object.freeze({ b: 'c' }) })));
    expect(withIntentHash(given, NAME)).toEqual({
      ...given,
      metadata: { name: 'shop', annotations: { b: 'c', [NAME]: expect.stringMatching(/^[0-9a-f]{16}$/) } },
    });
  });

  it('is the same for the same and another for anything else', () => {
    const one = hashOf(object('X', { a: 1 }));
    expect(hashOf(object('X', { a: 1 }))).toBe(one);
    expect(hashOf(withIntentHash(object('X', { a: 1 }), NAME))).toBe(one);
    expect(hashOf(object('X', { a: 2 }))).not.toBe(one);
    expect(hashOf(object('X', { a: 1, b: 1 }))).not.toBe(one);
    expect(hashOf(object('X', { a: 1 }, { annotations: { b: 'c' } }))).not.toBe(one);
  });

  it.each([
    [object('X', { spec: { a: null } }), 'a is null'],
    [object('X', { spec: { a: [{ b: [] }] } }), 'b is an empty list'],
    [object('X', { spec: { a: [null] } }), 'a is null'],
  ])('refuses what must not be applied: %j', (given, message) => {
    expect(() => withIntentHash(given, NAME)).toThrow(message);
  });
});
