// WebApps for the renderers' tests: the smallest, and two that between them use every field (some fields exclude each other).
import { API_VERSION, KIND, webAppSchema } from '../../../../core/app/schema.ts';
import type { Settings } from '../../../settings.ts';
import { OPTIONAL_KINDS, type OptionalKind } from '../../kinds.ts';
import type { LiveWebApp } from '../../observed.ts';
import type { RenderInput } from '../input.ts';

export const SETTINGS: Settings = {
  proxyImage: 'registry.example.com/proxy:1',
  clusterDomain: 'cluster.local',
  drainDelayMs: 5000,
};

export const ALL_APIS: ReadonlySet<OptionalKind> = new Set(Object.keys(OPTIONAL_KINDS) as OptionalKind[]);

/** @returns the WebApp as the API server would have it: checked by the schema, defaults filled in; frozen all through */
export function liveWebApp(spec: object = {}, metadata: object = {}): LiveWebApp {
  const meta = { name: 'shop', namespace: 'web', uid: 'u-1', generation: 1, ...metadata };
  const given = { image: 'registry.example.com/shop:1', app: 'shop:app', ...spec };
  const parsed = webAppSchema.parse({ apiVersion: API_VERSION, kind: KIND, metadata: meta, spec: given });
  return deepFreeze({ ...parsed, metadata: meta });
}

export function inputOf(webApp: LiveWebApp): RenderInput {
  return Object.freeze({ webApp, settings: SETTINGS, apis: ALL_APIS });
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) deepFreeze(one);
  return Object.freeze(value);
}

/** Python, behind an Ingress. */
export const EVERY_FIELD = {
  image: 'registry.example.com/shop:1',
  app: 'shop:app',
  runtime: 'wsgi',
  replicas: 3,
  workers: {
    processes: 4,
    threads: 2,
    timeout: '1m30s',
    gracefulTimeout: '20s',
    maxRequests: { count: 5000, jitter: 500 },
    maxMemory: '400Mi',
    preload: true,
    queue: { max: 100, timeout: '5s' },
  },
  resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: 2, memory: '1Gi' } },
  env: [
    { name: 'PLAIN', value: 'text' },
    { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'shop', key: 'password' } } },
    { name: 'CONFIG', valueFrom: { configMapKeyRef: { name: 'colours', key: 'colour' } } },
    { name: 'FIELD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ],
  envFrom: [{ prefix: 'SHOP_', secretRef: { name: 'shop' } }, { configMapRef: { name: 'more' } }],
  files: [
    { path: '/etc/shop', secretName: 'keys' },
    { path: '/etc/colours', configMapName: 'colours' },
  ],
  volumes: [
    { name: 'scratch', path: '/scratch', readOnly: false, emptyDir: { sizeLimit: '1Gi', medium: 'Memory' } },
    { name: 'media', path: '/media', readOnly: true, persistentVolumeClaim: { claimName: 'media' } },
  ],
  imagePullSecrets: [{ name: 'registry' }],
  serviceAccountName: 'shop',
  health: { path: '/healthz', interval: '10s', timeout: '2s', failures: 5 },
  proxy: {
    replicas: 3,
    hosts: ['shop.example.com', '*.shops.example.com'],
    expose: { type: 'Ingress', className: 'public', annotations: { 'example.com/a': 'b' } },
    tls: { secretName: 'shop-cert' },
    resources: { requests: { cpu: '200m' }, limits: { memory: '256Mi' } },
    podTemplate: { spec: { tolerations: [{ key: 'edge', operator: 'Exists' }] } },
    keepRevisions: 2,
    static: [{ path: '/static', from: 'static', maxAge: '1y', immutable: true }],
    limits: { body: '20Mi' },
    timeouts: { requestHead: '10s', requestBody: '30s', idle: '60s', send: '30s', connect: '2s', response: '40s' },
  },
  migrate: { command: ['flask', 'db', 'upgrade'], timeout: '5m' },
  autoscaling: { minReplicas: 2, maxReplicas: 8, cpuPercent: 70, memoryPercent: 80 },
  rollout: { progressDeadline: '5m', autoRollback: true, maxSurge: 2, keepRevisions: 5, rollOnOperatorUpgrade: false },
  access: {
    from: [
      { namespaceSelector: { matchLabels: { team: 'shop' } }, podSelector: { matchLabels: { app: 'front' } } },
      { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
    ],
  },
  monitoring: { serviceMonitor: true, podMonitor: false, interval: '1m30s', labels: { release: 'prometheus' } },
  tracing: { endpoint: 'http://collector.monitoring:4318', sampling: 0.1 },
  podTemplate: {
    metadata: { labels: { team: 'shop', 'app.kubernetes.io/name': 'mine' }, annotations: { note: 'a' } },
    spec: {
      nodeSelector: { disk: 'ssd' },
      containers: [
        { name: 'app', env: [{ name: 'PLAIN', value: 'laid over' }], lifecycle: null },
        {
          name: 'cache',
          image: 'registry.example.com/cache:1',
          resources: { limits: { cpu: 0.5, memory: '64Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      topologySpreadConstraints: [{ topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' }],
      tolerations: [],
    },
  },
  suspend: false,
} as const;

/** Node, behind a Gateway. */
export const EVERY_OTHER_FIELD = {
  app: 'server.js',
  resources: { limits: { cpu: '1500m', memory: '512Mi' } },
  proxy: {
    hosts: ['shop.example.com'],
    expose: { type: 'HTTPRoute', parentRef: { name: 'public', namespace: 'gateways', sectionName: 'https' } },
    tls: { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } },
  },
  monitoring: { podMonitor: true },
} as const;
