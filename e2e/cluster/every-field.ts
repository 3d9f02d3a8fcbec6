// WebApps with every field of the schema, for tests that change one field at a time. Several, because some fields exclude each other.
export const API_VERSION = 'webapp-operator.io/v1alpha1';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export const webApp = (spec: object = {}, name = 'shop'): { [key: string]: Json } => ({
  apiVersion: API_VERSION,
  kind: 'WebApp',
  metadata: { name },
  spec: { image: 'registry.example.com/shop:1', app: 'shop:app', ...spec } as { [key: string]: Json },
});

const resources = { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: 2, memory: '1Gi' } };

const withIngress = {
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
  resources,
  env: [
    { name: 'PLAIN', value: 'text' },
    { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'shop', key: 'password' } } },
    { name: 'CONFIG', valueFrom: { configMapKeyRef: { name: 'shop', key: 'colour' } } },
    { name: 'FIELD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ],
  envFrom: [{ prefix: 'SHOP_', secretRef: { name: 'shop' } }, { configMapRef: { name: 'shop' } }],
  files: [
    { path: '/etc/shop', secretName: 'shop' },
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
    tls: { secretName: 'shop-tls' },
    resources,
    podTemplate: { spec: { priorityClassName: 'high' } },
    keepRevisions: 2,
    static: [{ path: '/static', from: 'static', maxAge: '1y', immutable: true }],
    limits: { body: '20Mi' },
    timeouts: {
      requestHead: '10s',
      requestBody: '30s',
      idle: '60s',
      send: '30s',
      connect: '2s',
      response: '2m',
    },
  },
  migrate: { command: ['flask', 'db', 'upgrade'], timeout: '5m' },
  autoscaling: { minReplicas: 2, maxReplicas: 8, cpuPercent: 70, memoryPercent: 80 },
  rollout: {
    progressDeadline: '5m',
    autoRollback: true,
    maxSurge: 2,
    keepRevisions: 5,
    rollOnOperatorUpgrade: true,
  },
  access: {
    from: [
      {
        namespaceSelector: { matchLabels: { team: 'shop' } },
        podSelector: { matchLabels: { app: 'front' } },
      },
      { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
    ],
  },
  monitoring: { serviceMonitor: true, podMonitor: true, interval: '15s', labels: { release: 'prometheus' } },
  podTemplate: { metadata: { labels: { team: 'shop' } } },
  suspend: true,
};

const withGateway = {
  image: 'registry.example.com/shop:1',
  app: 'server.js',
  proxy: {
    hosts: ['shop.example.com'],
    expose: { type: 'HTTPRoute', parentRef: { name: 'public', namespace: 'gateways', sectionName: 'https' } },
    tls: { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } },
  },
};

export const EVERY_FIELD: readonly { [key: string]: Json }[] = [webApp(withIngress), webApp(withGateway)];
