import { describe, expect, it } from 'vitest';
import { mergePodTemplate } from './strategic-merge.ts';

const TEMPLATE = deepFreeze({
  metadata: { labels: { a: '1' }, annotations: { b: '2' } },
  spec: {
    nodeSelector: { disk: 'ssd' },
    containers: [
      {
        name: 'app',
        image: 'shop:1',
        args: ['--config', 'x'],
        ports: [{ containerPort: 8000, name: 'http' }],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        volumeMounts: [{ mountPath: '/tmp', name: 'tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory' } }],
    tolerations: [{ key: 'a' }],
    topologySpreadConstraints: [
      { topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 1 },
      { topologyKey: 'host', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 1 },
    ],
  },
});
type Loose = Record<string, unknown>;
const merged = (patch: object) => mergePodTemplate(TEMPLATE, deepFreeze(patch)) as typeof TEMPLATE & Loose;
const inSpec = (patch: object) => merged({ spec: patch }).spec as Loose;
const inApp = (patch: object) => (inSpec({ containers: [{ name: 'app', ...patch }] })['containers'] as Loose[])[0];

describe('as kubectl patch does it', () => {
  it('an empty patch changes nothing', () => {
    expect(merged({})).toEqual(TEMPLATE);
  });

  it('maps merge, null removes', () => {
    expect(merged({ metadata: { labels: { c: '3' }, annotations: null } }).metadata).toEqual({
      labels: { a: '1', c: '3' },
    });
    expect(inSpec({ nodeSelector: { disk: null } })['nodeSelector']).toEqual({});
    expect(inSpec({ affinity: { nodeAffinity: null, podAffinity: { x: 1 } } })['affinity']).toEqual({
      podAffinity: { x: 1 },
    });
  });

  it('containers merge by name, new ones come last', () => {
    expect(inApp({ image: 'shop:2' })).toEqual({ ...TEMPLATE.spec.containers[0], image: 'shop:2' });
    const containers = inSpec({ containers: [{ name: 'log', image: 'log:1' }] })['containers'];
    expect(containers).toEqual([TEMPLATE.spec.containers[0], { name: 'log', image: 'log:1' }]);
  });

  it.each([
    [
      'env by name',
      {
        env: [
          { name: 'B', value: '3' },
          { name: 'C', value: '4' },
        ],
      },
      'env',
      [
        { name: 'A', value: '1' },
        { name: 'B', value: '3' },
        { name: 'C', value: '4' },
      ],
    ],
    ['an env removed', { env: [{ name: 'A', $patch: 'delete' }] }, 'env', [{ name: 'B', value: '2' }]],
    ['removing what is not there', { env: [{ name: 'Z', $patch: 'delete' }] }, 'env', TEMPLATE.spec.containers[0]?.env],
    [
      'all env replaced',
      { env: [{ $patch: 'replace' }, { name: 'Z', value: '1' }] },
      'env',
      [{ name: 'Z', value: '1' }],
    ],
    [
      'ports by number',
      { ports: [{ containerPort: 8000, protocol: 'TCP', hostPort: 1 }] },
      'ports',
      [{ containerPort: 8000, name: 'http', protocol: 'TCP', hostPort: 1 }],
    ],
    [
      'a port of another protocol',
      { ports: [{ containerPort: 8000, protocol: 'UDP', name: 'quic' }] },
      'ports',
      [
        { containerPort: 8000, name: 'http' },
        { containerPort: 8000, protocol: 'UDP', name: 'quic' },
      ],
    ],
    [
      'mounts by path',
      { volumeMounts: [{ mountPath: '/tmp', name: 'disk' }] },
      'volumeMounts',
      [{ mountPath: '/tmp', name: 'disk' }],
    ],
    ['words as a whole', { args: ['x'] }, 'args', ['x']],
  ])('%s', (_, patch, field, expected) => {
    expect(inApp(patch)?.[field]).toEqual(expected);
  });

  it.each([
    ['tolerations as a whole', { tolerations: [{ key: 'b' }] }, 'tolerations', [{ key: 'b' }]],
    [
      'spread by topologyKey alone',
      { topologySpreadConstraints: [{ topologyKey: 'host', whenUnsatisfiable: 'DoNotSchedule' }] },
      'topologySpreadConstraints',
      [
        TEMPLATE.spec.topologySpreadConstraints[0],
        { topologyKey: 'host', whenUnsatisfiable: 'DoNotSchedule', maxSkew: 1 },
      ],
    ],
    [
      'hostAliases by ip',
      { hostAliases: [{ ip: '1.1.1.1', hostnames: ['a'] }] },
      'hostAliases',
      [{ ip: '1.1.1.1', hostnames: ['a'] }],
    ],
    ['a map replaced', { nodeSelector: { $patch: 'replace', gpu: 'yes' } }, 'nodeSelector', { gpu: 'yes' }],
    ['a map deleted', { nodeSelector: { $patch: 'delete' } }, 'nodeSelector', undefined],
    [
      'keys retained',
      { volumes: [{ name: 'tmp', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
      'volumes',
      [{ name: 'tmp', hostPath: { path: '/x' } }],
    ],
    ['a volume deleted', { volumes: [{ name: 'tmp', $patch: 'delete' }] }, 'volumes', []],
    [
      'two patches of one element',
      {
        volumes: [
          { name: 'a', x: 1 },
          { name: 'a', y: 2 },
        ],
      },
      'volumes',
      [TEMPLATE.spec.volumes[0], { name: 'a', x: 1, y: 2 }],
    ],
  ])('%s', (_, patch, field, expected) => {
    expect(inSpec(patch)[field]).toEqual(expected);
  });
});

describe('hostile shapes', () => {
  it.each([
    ['a text for the list of containers', { spec: { containers: 'app' } }, { spec: { containers: 'app' } }],
    ['a list for spec', { spec: ['a'] }, { spec: ['a'] }],
    ['a number for metadata', { metadata: 5 }, { metadata: 5 }],
    ['a map for a list', { spec: { tolerations: { a: 1 } } }, { spec: { tolerations: { a: 1 } } }],
    [
      'texts among containers',
      { spec: { containers: ['x', null, 7] } },
      { spec: { containers: [TEMPLATE.spec.containers[0], 'x', 7] } },
    ],
    [
      'an element without a name',
      { spec: { volumes: [{ emptyDir: {} }] } },
      { spec: { volumes: [TEMPLATE.spec.volumes[0], { emptyDir: {} }] } },
    ],
    [
      'an unknown directive',
      { spec: { '$setElementOrder/containers': [{ name: 'x' }] } },
      { spec: { '$setElementOrder/containers': [{ name: 'x' }] } },
    ],
  ])('%s', (_, patch, expected) => {
    expect(merged(patch)).toMatchObject(expected);
  });

  it('a patch of $patch: delete leaves nothing', () => {
    expect(mergePodTemplate(TEMPLATE, { $patch: 'delete' })).toEqual({});
  });

  it('a field named __proto__ is a field', () => {
    const result = mergePodTemplate({}, JSON.parse('{"spec": {"__proto__": {"polluted": true}}}')) as { spec: Loose };
    expect(Object.keys(result.spec)).toEqual(['__proto__']);
    expect((result.spec as Loose)['polluted']).toBeUndefined();
    expect(({} as Loose)['polluted']).toBeUndefined();
  });

  it('depth does not end the stack', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`);
    expect(() => JSON.stringify(mergePodTemplate({}, deep))).not.toThrow();
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) deepFreeze(one);
  return Object.freeze(value);
}
