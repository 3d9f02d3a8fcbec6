// WebApps to begin from. Typed, so that a field that is renamed does not compile here; checked against the schema and a real API server by tests.
import { z } from 'zod';
import { API_VERSION, KIND, type WebAppManifest, webAppSchema } from '../../core/app/schema.ts';
import { unwrap } from '../../core/app/validate.ts';
import { type CommentOf, toYaml } from './yaml.ts';

export interface Sample {
  readonly about: string;
  readonly webApps: readonly WebAppManifest[];
  /** With what docs/reference.md says above every field. */
  readonly explained?: boolean;
}

const webApp = (name: string, spec: WebAppManifest['spec']): WebAppManifest => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name },
  spec,
});

const IMAGE = 'registry.example.com/shop:1.4.2';

/** File name → sample. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  'minimal.yaml': {
    about:
      'All that a Flask application needs: two worker pods behind two proxies, reached inside the cluster at http://shop.NAMESPACE.svc.',
    webApps: [webApp('shop', { image: IMAGE, app: 'shop:app' })],
  },
  'node.yaml': {
    about:
      'A Node application (Express and the like): four processes in each pod, their heaps made to fit the memory limit.',
    webApps: [
      webApp('express-shop', {
        image: 'registry.example.com/express-shop:1.0.0',
        app: 'server.js',
        workers: { processes: 4 },
        resources: { requests: { cpu: '1', memory: '512Mi' }, limits: { memory: '1Gi' } },
        health: { path: '/healthz' },
        proxy: { static: [{ path: '/static', from: 'public' }] },
      }),
    ],
  },
  'ingress.yaml': {
    about: 'Reached from outside by an Ingress, with a certificate of cert-manager (which must be installed).',
    webApps: [
      webApp('shop', {
        image: IMAGE,
        app: 'shop:app',
        proxy: {
          hosts: ['shop.example.com'],
          expose: { type: 'Ingress', className: 'public' },
          tls: { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } },
        },
      }),
    ],
  },
  'httproute.yaml': {
    about: 'Reached from outside by a Gateway (whose API must be installed).',
    webApps: [
      webApp('shop', {
        image: IMAGE,
        app: 'shop:app',
        proxy: {
          hosts: ['shop.example.com'],
          expose: { type: 'HTTPRoute', parentRef: { name: 'public', namespace: 'gateways' } },
        },
      }),
    ],
  },
  'autoscaling.yaml': {
    about:
      'A HorizontalPodAutoscaler chooses the number of worker pods: between 2 and 20, for 70 % of the CPU they request.',
    webApps: [
      webApp('shop', {
        image: IMAGE,
        app: 'shop:app',
        resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '512Mi' } },
        autoscaling: { minReplicas: 2, maxReplicas: 20, cpuPercent: 70 },
      }),
    ],
  },
  'migrate.yaml': {
    about:
      'The database is migrated before a new image is rolled out, while the old one serves. The proxy serves the static files, whose names hold a hash; it keeps those of the image before for pages that are still open.',
    webApps: [
      webApp('shop', {
        image: IMAGE,
        app: 'shop:app',
        envFrom: [{ secretRef: { name: 'shop-database' } }],
        migrate: { command: ['flask', 'db', 'upgrade'], timeout: '10m' },
        rollout: { autoRollback: true },
        proxy: { static: [{ path: '/static', from: 'static', maxAge: '1y', immutable: true }], keepRevisions: 2 },
      }),
    ],
  },
  'every-field.yaml': {
    about: 'Every field there is, in two WebApps, since some exclude each other. To look things up, not to begin from.',
    explained: true,
    webApps: [
      webApp('shop', {
        image: IMAGE,
        app: 'shop:app',
        runtime: 'wsgi',
        replicas: 3,
        workers: {
          processes: 4,
          threads: 2,
          timeout: '30s',
          gracefulTimeout: '30s',
          maxRequests: { count: 5000, jitter: 500 },
          maxMemory: '400Mi',
          preload: true,
          queue: { max: 500, timeout: '10s' },
        },
        resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '4', memory: '2Gi' } },
        env: [
          { name: 'COLOUR', value: 'green' },
          { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'shop-database', key: 'url' } } },
          { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'shop-settings', key: 'level' } } },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        envFrom: [{ prefix: 'MAIL_', secretRef: { name: 'shop-mail' } }, { configMapRef: { name: 'shop-settings' } }],
        files: [
          { path: '/etc/shop', configMapName: 'shop-files' },
          { path: '/etc/shop-keys', secretName: 'shop-keys' },
        ],
        volumes: [
          { name: 'cache', path: '/var/cache/shop', emptyDir: { sizeLimit: '1Gi', medium: 'Memory' } },
          {
            name: 'uploads',
            path: '/srv/uploads',
            readOnly: true,
            persistentVolumeClaim: { claimName: 'shop-uploads' },
          },
        ],
        imagePullSecrets: [{ name: 'registry' }],
        serviceAccountName: 'shop',
        health: { path: '/healthz', interval: '10s', timeout: '5s', failures: 3 },
        proxy: {
          replicas: 2,
          hosts: ['shop.example.com', 'www.shop.example.com'],
          expose: { type: 'Ingress', className: 'public', annotations: { 'example.com/team': 'shop' } },
          tls: { secretName: 'shop-tls' },
          resources: { requests: { cpu: '200m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          podTemplate: { spec: { nodeSelector: { 'kubernetes.io/os': 'linux' } } },
          keepRevisions: 2,
          static: [{ path: '/static', from: 'static', maxAge: '1y', immutable: true }],
          limits: { body: '20Mi' },
          timeouts: {
            requestHead: '30s',
            requestBody: '60s',
            idle: '75s',
            send: '60s',
            connect: '5s',
            response: '45s',
          },
        },
        migrate: { command: ['flask', 'db', 'upgrade'], timeout: '10m' },
        rollout: {
          progressDeadline: '10m',
          autoRollback: true,
          maxSurge: '25%',
          keepRevisions: 3,
          rollOnOperatorUpgrade: false,
        },
        access: {
          from: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } },
              podSelector: { matchLabels: { app: 'ingress-controller' } },
            },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
          ],
        },
        monitoring: { serviceMonitor: true, podMonitor: false, interval: '30s', labels: { release: 'prometheus' } },
        tracing: { endpoint: 'http://collector.monitoring:4318', sampling: 0.1 },
        podTemplate: { spec: { containers: [{ name: 'app', tty: false }] } },
        suspend: false,
      }),
      webApp('blog', {
        image: 'registry.example.com/blog:2.0.0',
        app: 'blog.wsgi:application',
        autoscaling: { minReplicas: 2, maxReplicas: 10, cpuPercent: 80, memoryPercent: 80 },
        proxy: {
          hosts: ['blog.example.com'],
          expose: { type: 'HTTPRoute', parentRef: { name: 'public', namespace: 'gateways', sectionName: 'https' } },
          tls: { issuerRef: { name: 'letsencrypt', kind: 'Issuer' } },
        },
      }),
    ],
  },
};

/** @returns the file's text */
export function sampleYaml({ about, webApps, explained = false }: Sample): string {
  return toYaml(webApps, about, explained ? describeField() : undefined);
}

/** @returns what the schema says of a field; of each field once in a file */
function describeField(): CommentOf {
  const explained = new Set<z.core.$ZodType>();
  return (path) => {
    const field = fieldAt(path);
    if (field === undefined || explained.has(field)) return;
    explained.add(field);
    return describedBy(field);
  };
}

function fieldAt(path: readonly (string | number)[]): z.core.$ZodType | undefined {
  if (typeof path.at(-1) === 'number') return undefined;
  let field: z.core.$ZodType | undefined = webAppSchema;
  for (const key of path) {
    const inner: z.core.$ZodType | undefined = field && unwrap(field);
    if (inner instanceof z.ZodObject) field = inner.shape[key] as z.core.$ZodType | undefined;
    else if (inner instanceof z.ZodArray) field = inner.element as z.core.$ZodType;
    else return undefined;
  }
  return field;
}

/** A description stands outside or inside of `optional` and `default`. */
function describedBy(field: z.core.$ZodType): string | undefined {
  const { description } = field as z.ZodType;
  const inner = unwrap(field) as z.ZodType;
  return description ?? inner.description;
}
