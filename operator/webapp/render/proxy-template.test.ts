// The proxy's pod template, as far as a promise hangs on a field; fields.test.ts holds what replaces pods.
import { describe, expect, it } from 'vitest';
import { staticVersionOf } from './statics.ts';
import { SETTINGS } from './testing/samples.ts';
import { containerOf, proxyOf } from './testing/templates.ts';

const edge = (spec: object = {}) => containerOf(proxyOf(spec));

describe('the proxy', () => {
  const statics = {
    proxy: {
      static: [
        { path: '/s', from: 'static/' },
        { path: '/m', from: 'media' },
        { path: '/t', from: 'static' },
      ],
    },
  };

  it('is started by its document, and may find its workers', () => {
    expect(edge()).toMatchObject({
      name: 'proxy',
      image: SETTINGS.proxyImage,
      command: ['webapp-proxy'],
      args: [
        ...['--config', '/etc/webapp/proxy.json', '--listen', '0.0.0.0:8080', '--admin', '0.0.0.0:9090'],
        ...['--drain-delay', '5000ms'],
        '--master',
      ],
      resources: { requests: { cpu: '100m', memory: '128Mi' } },
    });
    expect(proxyOf().spec).toMatchObject({
      serviceAccountName: 'shop-proxy',
      automountServiceAccountToken: true,
      volumes: [{ name: 'webapp-config', configMap: { name: 'shop-proxy' } }],
    });
  });

  it('has no init containers, static files and pull secrets unless there are static folders', () => {
    const { spec } = proxyOf({ imagePullSecrets: [{ name: 'registry' }] });
    expect(spec).not.toHaveProperty('initContainers');
    expect(spec).not.toHaveProperty('imagePullSecrets');
    expect(spec.volumes).toHaveLength(1);
  });

  it('copies the static folders of each version to a folder of its own', () => {
    const { spec } = proxyOf({ ...statics, imagePullSecrets: [{ name: 'registry' }] });
    const [newKey, oldKey] = ['shop:2', 'shop:1'].map((image) => staticVersionOf(image).key);
    const pairs = (key: string | undefined) => [
      ...['--from=static', `--to=/srv/static/${key}/static`],
      ...['--from=media', `--to=/srv/static/${key}/media`],
    ];
    expect(spec.initContainers).toMatchObject([
      {
        name: `static-${newKey}`,
        image: 'shop:2',
        command: ['webapp-worker'],
        args: ['copy-static', ...pairs(newKey)],
      },
      {
        name: `static-${oldKey}`,
        image: 'shop:1',
        command: ['webapp-worker'],
        args: ['copy-static', '--skip-missing', ...pairs(oldKey)],
      },
    ]);
    for (const { volumeMounts } of spec.initContainers ?? [])
      expect(volumeMounts).toEqual([{ name: 'webapp-static', mountPath: '/srv/static' }]);
    expect(edge(statics).volumeMounts).toContainEqual({
      name: 'webapp-static',
      mountPath: '/srv/static',
      readOnly: true,
    });
    expect(spec['imagePullSecrets']).toEqual([{ name: 'registry' }]);
  });

  it('knows its heap by the memory limit', () => {
    expect(edge()).not.toHaveProperty('env');
    const limited = edge({ proxy: { resources: { limits: { memory: '256Mi' } } } });
    expect(limited.env).toEqual([{ name: 'NODE_OPTIONS', value: '--max-old-space-size=192' }]);
    expect(limited.resources).toEqual({ limits: { memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } });
  });

  it('a folder that begins with a dash is no flag', () => {
    const [copy] = proxyOf({ proxy: { static: [{ path: '/s', from: '-x' }] } }, ['a']).spec.initContainers ?? [];
    expect(copy?.args).toContain('--from=-x');
  });
});
