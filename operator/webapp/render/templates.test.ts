// The two pod templates and the migration's, field by field as far as a promise hangs on it; fields.test.ts holds what replaces pods.
import { describe, expect, it } from 'vitest';
import { proxyTemplate } from './proxy-template.ts';
import { migrationKey, renderMigrateJob, staticVersionOf } from './render.ts';
import { graceStep } from './serving-pod.ts';
import { EVERY_FIELD, inputOf, liveWebApp, SETTINGS } from './testing/samples.ts';
import { workerTemplate } from './worker-template.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly args: string[];
  readonly env?: { name: string; value?: string }[];
  readonly envFrom?: object[];
  readonly resources: object;
  readonly volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  readonly securityContext: object;
}
interface Template {
  readonly metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  readonly spec: {
    containers: Container[];
    initContainers?: Container[];
    volumes: { name: string }[];
    [field: string]: unknown;
  };
}

const worker = (spec: object = {}, metadata: object = {}) =>
  workerTemplate(inputOf(liveWebApp(spec, metadata)), 'abc') as unknown as Template;
const proxy = (spec: object = {}, images = ['shop:2', 'shop:1']) =>
  proxyTemplate(inputOf(liveWebApp(spec)), images.map(staticVersionOf), 'abc') as unknown as Template;
const migrate = (spec: object) => {
  const job = renderMigrateJob(inputOf(liveWebApp(spec)), 'key');
  return job['spec'] as { template: Template; [field: string]: unknown };
};
const app = (spec: object = {}): Container => containerOf(worker(spec));
const edge = (spec: object = {}): Container => containerOf(proxy(spec));
function containerOf({ spec }: Template): Container {
  const [container] = spec.containers;
  if (container === undefined) throw new Error('there is no container');
  return container;
}

describe.each([
  ['worker', worker, 9000],
  ['proxy', proxy, 9090],
])('the %s', (component, template, admin) => {
  it('is restricted', () => {
    expect(template().spec['securityContext']).toEqual({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of [...template().spec.containers, ...(template().spec.initContainers ?? [])])
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
  });

  it('is probed on the admin port', () => {
    const get = (path: string) => ({ httpGet: { path, port: 'admin' } });
    expect(containerOf(template())).toMatchObject({
      startupProbe: get('/healthz'),
      readinessProbe: { ...get('/readyz'), periodSeconds: 2 },
      livenessProbe: get('/healthz'),
      ports: [{ name: 'http' }, { name: 'admin', containerPort: admin }],
    });
  });

  it('is spread over zones and nodes where that can be', () => {
    const spread = (topologyKey: string) =>
      expect.objectContaining({
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        matchLabelKeys: ['pod-template-hash'],
        labelSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': component }) },
      });
    expect(template().spec['topologySpreadConstraints']).toEqual([
      spread('topology.kubernetes.io/zone'),
      spread('kubernetes.io/hostname'),
    ]);
  });

  it('tells Prometheus where it is, and its last lines to whoever looks', () => {
    expect(template().metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(admin),
      'prometheus.io/path': '/metrics',
    });
    expect(containerOf(template())).toMatchObject({ terminationMessagePolicy: 'FallbackToLogsOnError' });
    expect(template().spec['enableServiceLinks']).toBe(false);
  });

  it('mounts its document as a folder', () => {
    const mount = containerOf(template()).volumeMounts?.find(({ mountPath }) => mountPath === '/etc/webapp');
    expect(mount).toEqual({ name: 'webapp-config', mountPath: '/etc/webapp', readOnly: true });
  });
});

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
    expect(worker().spec.volumes).toContainEqual({ name: 'webapp-config', configMap: { name: 'shop-worker-abc' } });
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
    expect(worker().spec).toMatchObject({ serviceAccountName: 'shop-worker', automountServiceAccountToken: false });
    const named = worker({ serviceAccountName: 'mine' }).spec;
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
    const { volumes } = worker({ ...EVERY_FIELD, podTemplate: undefined }).spec;
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
    const [name] = worker({ files })
      .spec.volumes.slice(-1)
      .map((volume) => volume.name);
    const after = worker({ files: [{ path: '/a', secretName: 's' }, ...files] }).spec.volumes;
    expect(after.map((volume) => volume.name)).toContain(name);
  });

  it.each(['/tmp', '/tmp/'])('a volume of the person’s at %s takes the place of ours', (path) => {
    const volumes = [{ name: 'big', path, emptyDir: {} }];
    const mounts = app({ volumes }).volumeMounts?.filter(({ mountPath }) => mountPath.startsWith('/tmp'));
    expect(mounts).toEqual([{ name: 'big', mountPath: path }]);
    expect(worker({ volumes }).spec.volumes.map(({ name }) => name)).toEqual(['webapp-config', 'big']);
  });

  it('is restarted by the annotation', () => {
    const annotations = { 'webapp-operator.io/restartedAt': 'now', other: 'x' };
    const { annotations: made } = worker({}, { annotations }).metadata;
    expect(made).toMatchObject({ 'webapp-operator.io/restartedAt': 'now' });
    expect(made).not.toHaveProperty('other');
  });
});

describe('time to leave', () => {
  it.each([
    ['1s', 60],
    ['50s', 60],
    ['51s', 120],
    ['5m', 600],
    ['1h', 7200],
    ['24h', 90_000],
  ])('gracefulTimeout %s fits into %i seconds and the drain delay', (gracefulTimeout, seconds) => {
    expect(worker({ workers: { gracefulTimeout } }).spec['terminationGracePeriodSeconds']).toBe(seconds + 5);
  });

  it.each([
    [{}, 120],
    [{ workers: { timeout: '5m' } }, 600],
    [{ proxy: { timeouts: { response: '20m' } } }, 1800],
    [{ proxy: { timeouts: { requestHead: '1s', requestBody: '1s', send: '1s', response: '1s' } } }, 60],
  ])('the proxy’s longest request of %j fits into %i seconds', (spec, seconds) => {
    expect(proxy(spec).spec['terminationGracePeriodSeconds']).toBe(seconds + 5);
  });

  it('always holds what is asked for, and a slack', () => {
    for (let seconds = 1; seconds <= 86_400; seconds += 97)
      expect(graceStep(seconds * 1000)).toBeGreaterThanOrEqual(seconds + 10);
    expect(graceStep(100 * 3_600_000)).toBe(360_010);
  });

  it('a part of a second is a whole one', () => {
    const input = { ...inputOf(liveWebApp()), settings: { ...SETTINGS, drainDelayMs: 1500 } };
    expect(workerTemplate(input, '')['spec']).toMatchObject({ terminationGracePeriodSeconds: 62 });
  });
});

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
      ],
      resources: { requests: { cpu: '100m', memory: '128Mi' } },
    });
    expect(proxy().spec).toMatchObject({
      serviceAccountName: 'shop-proxy',
      automountServiceAccountToken: true,
      volumes: [{ name: 'webapp-config', configMap: { name: 'shop-proxy' } }],
    });
  });

  it('has no init containers, static files and pull secrets unless there are static folders', () => {
    const { spec } = proxy({ imagePullSecrets: [{ name: 'registry' }] });
    expect(spec).not.toHaveProperty('initContainers');
    expect(spec).not.toHaveProperty('imagePullSecrets');
    expect(spec.volumes).toHaveLength(1);
  });

  it('copies the static folders of each version to a folder of its own', () => {
    const { spec } = proxy({ ...statics, imagePullSecrets: [{ name: 'registry' }] });
    const [newKey, oldKey] = ['shop:2', 'shop:1'].map((image) => staticVersionOf(image).key);
    const copies = (key: string | undefined) => [
      'copy-static',
      ...['--from', 'static', '--to', `/srv/static/${key}/static`],
      ...['--from', 'media', '--to', `/srv/static/${key}/media`],
    ];
    expect(spec.initContainers).toMatchObject([
      { name: `static-${newKey}`, image: 'shop:2', command: ['webapp-worker'], args: copies(newKey) },
      { name: `static-${oldKey}`, image: 'shop:1', command: ['webapp-worker'], args: copies(oldKey) },
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
});

describe('a person’s template', () => {
  const laidOver = worker(EVERY_FIELD);

  it('adds containers and changes the application’s', () => {
    expect(laidOver.spec.containers.map(({ name }) => name)).toEqual(['app', 'cache']);
    expect(containerOf(laidOver).env).toContainEqual({ name: 'PLAIN', value: 'laid over' });
    expect(laidOver.spec['topologySpreadConstraints']).toMatchObject([
      { whenUnsatisfiable: 'ScheduleAnyway' },
      { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', maxSkew: 1 },
    ]);
    expect(proxy(EVERY_FIELD).spec['tolerations']).toEqual(EVERY_FIELD.proxy.podTemplate.spec.tolerations);
  });

  it('adds labels, and takes none of those that selectors live by', () => {
    expect(laidOver.metadata.labels).toMatchObject({ team: 'shop', 'app.kubernetes.io/name': 'shop' });
    expect(laidOver.metadata.annotations).toMatchObject({ note: 'a', 'prometheus.io/scrape': 'true' });
    const stripped = worker({ podTemplate: { metadata: { labels: null } } }).metadata.labels;
    expect(stripped).toEqual(worker().metadata.labels);
  });
});

describe('the migration', () => {
  const { template, ...job } = migrate(EVERY_FIELD);

  it('runs once, in time, and stays', () => {
    expect(job).toEqual({ backoffLimit: 0, activeDeadlineSeconds: 300 });
    expect(template.spec['restartPolicy']).toBe('Never');
  });

  it('has the application’s surroundings and is no worker', () => {
    const container = containerOf(template);
    const { env, envFrom, image, resources, volumeMounts } = app({ ...EVERY_FIELD, podTemplate: undefined });
    expect(container).toMatchObject({
      name: 'migrate',
      command: ['flask', 'db', 'upgrade'],
      env,
      envFrom,
      image,
      resources,
    });
    expect(container.volumeMounts).toEqual(volumeMounts?.filter(({ mountPath }) => mountPath !== '/etc/webapp'));
    expect(container).not.toHaveProperty('ports');
    expect(container).not.toHaveProperty('readinessProbe');
    expect(template.metadata.labels['app.kubernetes.io/component']).toBe('migrate');
    expect(template.spec['imagePullSecrets']).toEqual([{ name: 'registry' }]);
  });

  it('runs where the person’s template lets the application run, without the containers beside it', () => {
    expect(template.spec.containers).toHaveLength(1);
    expect(template.spec['nodeSelector']).toEqual({ disk: 'ssd' });
    const writable = { containers: [{ name: 'app', securityContext: { readOnlyRootFilesystem: false } }] };
    const { securityContext } = containerOf(migrate({ ...EVERY_FIELD, podTemplate: { spec: writable } }).template);
    expect(securityContext).toMatchObject({ readOnlyRootFilesystem: false, allowPrivilegeEscalation: false });
  });

  it('has a key over image and command alone', () => {
    const keyOf = (spec: object) => migrationKey(liveWebApp({ ...EVERY_FIELD, ...spec }));
    expect(keyOf({})).toMatch(/^[0-9a-f]{10}$/);
    expect(keyOf({ env: [], replicas: 9, migrate: { ...EVERY_FIELD.migrate, timeout: '1h' } })).toBe(keyOf({}));
    expect(keyOf({ image: 'b' })).not.toBe(keyOf({}));
    expect(keyOf({ migrate: { command: ['other'] } })).not.toBe(keyOf({}));
    expect(keyOf({ migrate: undefined })).toBeUndefined();
  });
});
