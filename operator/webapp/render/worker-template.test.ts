// The worker's pod template, as far as a promise hangs on a field; fields.test.ts holds what replaces pods.
import { describe, expect, it } from 'vitest';
import { EVERY_FIELD } from './testing/samples.ts';
import { containerOf, proxyOf, workerOf } from './testing/templates.ts';

const app = (spec: object = {}) => containerOf(workerOf(spec));

describe('the worker', () => {
  it('is started by its document', () => {
    expect(app()).toMatchObject({
      name: 'app',
      image: 'registry.example.com/shop:1',
      command: ['webapp-worker'],
      args: [
        ...['--config', '/etc/webapp/worker.json', '--listen', '0.0.0.0:8000', '--admin', '0.0.0.0:9000'],
        ...['--directory', '.', '--drain-delay', '5000ms'],
      ],
    });
    expect(workerOf().spec.volumes).toContainEqual({ name: 'webapp-config', configMap: { name: 'shop-worker-abc' } });
  });

  it.each([
    [{}, { requests: { cpu: '250m', memory: '256Mi' } }],
    [
      { limits: { cpu: '100m', memory: '1Gi' } },
      { limits: { cpu: '100m', memory: '1Gi' }, requests: { cpu: '100m', memory: '256Mi' } },
    ],
    [{ requests: { cpu: 2 } }, { requests: { cpu: '2', memory: '256Mi' } }],
    [
      { requests: { memory: 1024, 'example.com/gpu': 1 } },
      { requests: { cpu: '250m', memory: '1024', 'example.com/gpu': '1' } },
    ],
  ])('resources %j', (resources, expected) => {
    expect(app({ resources }).resources).toEqual(expected);
  });

  it('has a token only when the person names an account', () => {
    expect(workerOf().spec).toMatchObject({ serviceAccountName: 'shop-worker', automountServiceAccountToken: false });
    const named = workerOf({ serviceAccountName: 'mine' }).spec;
    expect(named).toMatchObject({ serviceAccountName: 'mine', automountServiceAccountToken: true });
  });

  it.each([
    ['a home', {}, [{ name: 'HOME', value: '/tmp' }]],
    [
      'fewer arenas for Python under a limit',
      { resources: { limits: { memory: '1Gi' } } },
      [
        { name: 'HOME', value: '/tmp' },
        { name: 'MALLOC_ARENA_MAX', value: '2' },
      ],
    ],
    [
      'none for Node',
      { app: 'server.js', resources: { limits: { memory: '1Gi' } } },
      [{ name: 'HOME', value: '/tmp' }],
    ],
    [
      'what the person wrote first',
      { env: [{ name: 'HOME', value: '/home' }, { name: 'A' }] },
      [{ name: 'HOME', value: '/home' }, { name: 'A' }],
    ],
  ])('environment: %s', (_, spec, env) => {
    expect(app(spec).env).toEqual(env);
  });

  it('has the environment, files and volumes of the spec', () => {
    const { env, envFrom, volumeMounts = [] } = app({ ...EVERY_FIELD, podTemplate: undefined });
    expect(env).toEqual([
      { name: 'HOME', value: '/tmp' },
      { name: 'MALLOC_ARENA_MAX', value: '2' },
      ...EVERY_FIELD.env,
    ]);
    expect(envFrom).toEqual(EVERY_FIELD.envFrom);
    expect(volumeMounts.map(({ mountPath, readOnly }) => [mountPath, readOnly])).toEqual([
      ['/etc/webapp', true],
      ['/tmp', undefined],
      ['/etc/shop', true],
      ['/etc/colours', true],
      ['/scratch', undefined],
      ['/media', true],
    ]);
    const { volumes } = workerOf({ ...EVERY_FIELD, podTemplate: undefined }).spec;
    expect(volumes.map(({ name: _, ...source }) => source)).toEqual([
      { configMap: { name: 'shop-worker-abc' } },
      { emptyDir: {} },
      { secret: { secretName: 'keys' } },
      { configMap: { name: 'colours' } },
      { emptyDir: { sizeLimit: '1Gi', medium: 'Memory' } },
      { persistentVolumeClaim: { claimName: 'media' } },
    ]);
    expect(volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
  });

  it('a file more renames no volume', () => {
    const files = [{ path: '/b', secretName: 's' }];
    const [name] = workerOf({ files })
      .spec.volumes.slice(-1)
      .map((volume) => volume.name);
    const after = workerOf({ files: [{ path: '/a', secretName: 's' }, ...files] }).spec.volumes;
    expect(after.map((volume) => volume.name)).toContain(name);
  });

  it.each(['/tmp', '/tmp/'])('a volume of the person’s at %s takes the place of ours', (path) => {
    const volumes = [{ name: 'big', path, emptyDir: {} }];
    const mounts = app({ volumes }).volumeMounts?.filter(({ mountPath }) => mountPath.startsWith('/tmp'));
    expect(mounts).toEqual([{ name: 'big', mountPath: path }]);
    expect(workerOf({ volumes }).spec.volumes.map(({ name }) => name)).toEqual(['webapp-config', 'big']);
  });

  it('is restarted by the annotation', () => {
    const annotations = { 'webapp-operator.io/restartedAt': 'now', other: 'x' };
    const { annotations: made } = workerOf({}, { annotations }).metadata;
    expect(made).toMatchObject({ 'webapp-operator.io/restartedAt': 'now' });
    expect(made).not.toHaveProperty('other');
  });
});

describe('a person’s template', () => {
  const laidOver = workerOf(EVERY_FIELD);

  it('adds containers and changes the application’s', () => {
    expect(laidOver.spec.containers.map(({ name }) => name)).toEqual(['app', 'cache']);
    expect(containerOf(laidOver).env).toContainEqual({ name: 'PLAIN', value: 'laid over' });
    expect(laidOver.spec['topologySpreadConstraints']).toMatchObject([
      { whenUnsatisfiable: 'ScheduleAnyway' },
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', maxSkew: 1 },
    ]);
    expect(proxyOf(EVERY_FIELD).spec['tolerations']).toEqual(EVERY_FIELD.proxy.podTemplate.spec.tolerations);
  });

  it('adds labels, and takes none of those that selectors live by', () => {
    expect(laidOver.metadata.labels).toMatchObject({ team: 'shop', 'app.kubernetes.io/name': 'shop' });
    expect(laidOver.metadata.annotations).toMatchObject({ note: 'a', 'prometheus.io/scrape': 'true' });
    const stripped = workerOf({ podTemplate: { metadata: { labels: null } } }).metadata.labels;
    expect(stripped).toEqual(workerOf().metadata.labels);
  });
});
