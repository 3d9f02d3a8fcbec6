// The objects beside the Deployments, kind by kind, as the specification wants them.
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/object.ts';
import { renderBase } from './render.ts';
import { EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp } from './testing/samples.ts';

const WORKER = {
  'app.kubernetes.io/name': 'shop',
  'app.kubernetes.io/component': 'worker',
  'app.kubernetes.io/managed-by': 'webapp-operator',
};
const PROXY = { ...WORKER, 'app.kubernetes.io/component': 'proxy' };

const base = (spec: object = {}): KubeObject[] => renderBase(inputOf(liveWebApp(spec)));
const one = (kind: string, name: string, spec: object = {}): KubeObject | undefined =>
  base(spec).find((object) => object.kind === kind && object.metadata.name === name);
const specOf = (kind: string, name: string, spec: object = {}) => one(kind, name, spec)?.['spec'];

it('three fields make these', () => {
  expect(base().map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
    'ServiceAccount/shop-worker',
    'ServiceAccount/shop-proxy',
    'Role/shop-proxy',
    'RoleBinding/shop-proxy',
    'NetworkPolicy/shop-proxy',
    'NetworkPolicy/shop-worker',
    'Service/shop',
    'Service/shop-workers',
    'PodDisruptionBudget/shop-worker',
    'PodDisruptionBudget/shop-proxy',
  ]);
});

describe('accounts', () => {
  it('mount no token by themselves', () => {
    expect(one('ServiceAccount', 'shop-worker')?.['automountServiceAccountToken']).toBe(false);
    expect(one('ServiceAccount', 'shop-proxy')?.['automountServiceAccountToken']).toBe(false);
  });

  it('the worker’s is there also when the spec names another', () => {
    expect(one('ServiceAccount', 'shop-worker', { serviceAccountName: 'mine' })).toBeDefined();
  });

  it('the proxy may watch EndpointSlices, and nothing else', () => {
    expect(one('Role', 'shop-proxy')?.['rules']).toEqual([
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
    ]);
    expect(one('RoleBinding', 'shop-proxy')).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'shop-proxy' },
      subjects: [{ kind: 'ServiceAccount', name: 'shop-proxy', namespace: 'web' }],
    });
  });
});

describe('Services', () => {
  it('the way in, with the admin port for monitoring', () => {
    expect(specOf('Service', 'shop')).toEqual({
      type: 'ClusterIP',
      selector: PROXY,
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' },
        { name: 'admin', port: 9090, protocol: 'TCP', targetPort: 'admin' },
      ],
    });
  });

  it('the workers, without an address, ready ones only', () => {
    expect(specOf('Service', 'shop-workers')).toEqual({
      clusterIP: 'None',
      publishNotReadyAddresses: false,
      selector: WORKER,
      ports: [
        { name: 'http', port: 8000, protocol: 'TCP', targetPort: 'http' },
        { name: 'admin', port: 9000, protocol: 'TCP', targetPort: 'admin' },
      ],
    });
  });

  it('a load balancer has no admin port', () => {
    const expose = { type: 'LoadBalancer', className: 'fast', annotations: { a: 'b' } };
    const service = one('Service', 'shop-public', { proxy: { expose } });
    expect(service?.metadata.annotations).toEqual({ a: 'b' });
    expect(service?.['spec']).toEqual({
      type: 'LoadBalancer',
      loadBalancerClass: 'fast',
      selector: PROXY,
      ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
    });
  });

  it.each(['None', 'Ingress'])('no load balancer with %s', (type) => {
    expect(one('Service', 'shop-public', { proxy: { hosts: ['a.b'], expose: { type } } })).toBeUndefined();
  });
});

it.each([
  ['worker', WORKER],
  ['proxy', PROXY],
])('a budget for the %s lets one go at a time, and the sick always', (component, matchLabels) => {
  expect(specOf('PodDisruptionBudget', `shop-${component}`)).toEqual({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels },
  });
});

describe('NetworkPolicies', () => {
  const monitors = {
    namespaceSelector: {},
    podSelector: {
      matchExpressions: [
        { key: 'app.kubernetes.io/name', operator: 'In', values: ['webapp-operator', 'prometheus'] },
        { key: 'webapp-operator.io/webapp', operator: 'DoesNotExist' },
      ],
    },
  };
  const tcp = (port: number) => [{ protocol: 'TCP', port }];

  it('the worker takes only its proxy', () => {
    expect(specOf('NetworkPolicy', 'shop-worker')).toEqual({
      podSelector: { matchLabels: WORKER },
      policyTypes: ['Ingress'],
      ingress: [
        { from: [{ podSelector: { matchLabels: PROXY } }], ports: tcp(8000) },
        { from: [monitors], ports: tcp(9000) },
      ],
    });
  });

  it.each([{}, { access: { from: [] } }])('the proxy takes everyone: %j', (spec) => {
    expect(specOf('NetworkPolicy', 'shop-proxy', spec)).toEqual({
      podSelector: { matchLabels: PROXY },
      policyTypes: ['Ingress'],
      ingress: [{ ports: tcp(8080) }, { from: [monitors], ports: tcp(9090) }],
    });
  });

  it('the proxy takes whom access names', () => {
    const from = [...EVERY_FIELD.access.from, { namespaceSelector: {} }, { podSelector: { matchLabels: {} } }];
    expect(specOf('NetworkPolicy', 'shop-proxy', { access: { from } })).toMatchObject({
      ingress: [{ from: [...EVERY_FIELD.access.from, { namespaceSelector: {} }, { podSelector: {} }] }, {}],
    });
  });
});

describe('HorizontalPodAutoscaler', () => {
  const metricsFor = (autoscaling: object) =>
    (specOf('HorizontalPodAutoscaler', 'shop-worker', { autoscaling }) as { metrics: object[] }).metrics;
  const metric = (name: string, averageUtilization: number) => ({
    type: 'ContainerResource',
    containerResource: { name, container: 'app', target: { type: 'Utilization', averageUtilization } },
  });

  it.each([
    [{ maxReplicas: 5 }, [metric('cpu', 80)]],
    [{ maxReplicas: 5, memoryPercent: 70 }, [metric('memory', 70)]],
    [{ maxReplicas: 5, cpuPercent: 60, memoryPercent: 70 }, [metric('cpu', 60), metric('memory', 70)]],
  ])('%j', (autoscaling, metrics) => {
    expect(metricsFor(autoscaling)).toEqual(metrics);
  });

  it('of the worker Deployment', () => {
    expect(specOf('HorizontalPodAutoscaler', 'shop-worker', EVERY_FIELD)).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop-worker' },
      minReplicas: 2,
      maxReplicas: 8,
    });
  });

  it('not while suspended, not unasked', () => {
    expect(one('HorizontalPodAutoscaler', 'shop-worker', { ...EVERY_FIELD, suspend: true })).toBeUndefined();
    expect(one('HorizontalPodAutoscaler', 'shop-worker')).toBeUndefined();
  });
});

describe('the edge', () => {
  const path = (host: string) => ({
    host,
    http: {
      paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'shop', port: { name: 'http' } } } }],
    },
  });
  const hosts = ['shop.example.com', '*.shops.example.com'];

  it('an Ingress for all hosts', () => {
    const ingress = one('Ingress', 'shop', EVERY_FIELD);
    expect(ingress?.metadata.annotations).toEqual({ 'example.com/a': 'b' });
    expect(ingress?.['spec']).toEqual({
      ingressClassName: 'public',
      rules: hosts.map(path),
      tls: [{ hosts, secretName: 'shop-cert' }],
    });
  });

  it('an Ingress without a class and without tls', () => {
    const spec = { proxy: { hosts: ['a.b'], expose: { type: 'Ingress' } } };
    expect(specOf('Ingress', 'shop', spec)).toEqual({ rules: [path('a.b')] });
  });

  it('an Ingress with an issuer has the Certificate’s Secret', () => {
    const spec = { proxy: { hosts: ['a.b'], expose: { type: 'Ingress' }, tls: { issuerRef: { name: 'acme' } } } };
    expect(specOf('Ingress', 'shop', spec)).toMatchObject({ tls: [{ hosts: ['a.b'], secretName: 'shop-tls' }] });
    expect(specOf('Certificate', 'shop', spec)).toEqual({
      secretName: 'shop-tls',
      dnsNames: ['a.b'],
      issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'acme' },
      privateKey: { rotationPolicy: 'Always' },
    });
  });

  it('an HTTPRoute', () => {
    expect(specOf('HTTPRoute', 'shop', EVERY_OTHER_FIELD)).toEqual({
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          name: 'public',
          namespace: 'gateways',
          sectionName: 'https',
        },
      ],
      hostnames: ['shop.example.com'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ kind: 'Service', name: 'shop', port: 80, weight: 1 }],
        },
      ],
    });
    expect(one('Ingress', 'shop', EVERY_OTHER_FIELD)).toBeUndefined();
  });
});

describe('monitors', () => {
  const matchLabels = { 'app.kubernetes.io/name': 'shop', 'app.kubernetes.io/managed-by': 'webapp-operator' };
  const endpoint = { port: 'admin', path: '/metrics', interval: '1m30s' };
  const monitoring = { interval: '90s', labels: { release: 'prometheus', 'app.kubernetes.io/name': 'mine' } };
  const selecting = { jobLabel: 'app.kubernetes.io/name', selector: { matchLabels } };

  it('a ServiceMonitor, whose labels cannot take ours away', () => {
    const monitor = one('ServiceMonitor', 'shop', { monitoring: { serviceMonitor: true, ...monitoring } });
    expect(monitor?.metadata.labels).toMatchObject({ release: 'prometheus', 'app.kubernetes.io/name': 'shop' });
    expect(monitor?.['spec']).toEqual({ ...selecting, endpoints: [endpoint] });
  });

  it('a PodMonitor takes its place', () => {
    const spec = { monitoring: { serviceMonitor: true, podMonitor: true, ...monitoring } };
    expect(specOf('PodMonitor', 'shop', spec)).toEqual({ ...selecting, podMetricsEndpoints: [endpoint] });
    expect(one('ServiceMonitor', 'shop', spec)).toBeUndefined();
  });
});
