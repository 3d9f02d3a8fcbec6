// The WebApp resource, defined once: from here come the CRD, the TypeScript types (as written, as defaulted), validation, and
// docs/reference.md. Only what a structural schema can say is used (no union, nullable, transform, refine); what it cannot
// say is a `Rule`. A field enters with the change that makes it work.
import { z } from 'zod';
import { DURATION_PATTERN, MAX_TIMEOUT_MS, parseDuration, QUANTITY_PATTERN, TIMEOUT_PATTERN } from '../quantity.ts';
import { withRules } from './rules.ts';

export const GROUP = 'webapp-operator.io';
export const VERSION = 'v1alpha1';
export const KIND = 'WebApp';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Annotation: the folder of the application's source, relative to the manifest, for `webapp up`. Default: the manifest's. */
export const SOURCE_ANNOTATION = `${GROUP}/source`;

/** Annotation: a new value replaces every pod, as `kubectl rollout restart` does. Any text; a time by custom. */
export const RESTARTED_AT_ANNOTATION = `${GROUP}/restartedAt`;

/** What to write instead, shown with a problem of this field: read by validation, left out of the CRD. */
const MEND = 'mend';

const TIMEOUT_MEND = 'write a duration such as 500ms, 30s, 5m or 1h30m, at most 24h';

/** Makes a fresh schema at each call: a rule or a description of one field must not show at another. */
const timeout = () =>
  withRules(
    z
      .string()
      .max(32)
      .regex(new RegExp(TIMEOUT_PATTERN))
      .meta({ [MEND]: TIMEOUT_MEND }),
    {
      cel: "duration(self) > duration('0s') && duration(self) <= duration('24h')",
      holds: (text) => parseDuration(text) > 0 && parseDuration(text) <= MAX_TIMEOUT_MS,
      message: 'must be longer than zero and at most 24h',
      mend: TIMEOUT_MEND,
    },
  );
const age = () =>
  z
    .string()
    .max(32)
    .regex(new RegExp(DURATION_PATTERN))
    .meta({ [MEND]: 'write a duration such as 0s, 10m, 7d or 1y' });
const quantity = () =>
  z
    .string()
    .max(16)
    .regex(new RegExp(QUANTITY_PATTERN))
    .meta({ [MEND]: 'write a size such as 512Ki, 10Mi or 2Gi' });

const processes = withRules(
  z
    .union([z.int().min(1).max(256), z.literal('auto')])
    .meta({ 'x-kubernetes-int-or-string': true, [MEND]: 'write a number from 1 to 256, or auto' }),
  {
    cel: "type(self) == int ? self >= 1 && self <= 256 : self == 'auto'",
    holds: (value) => value === 'auto' || (value >= 1 && value <= 256),
    message: 'must be a number from 1 to 256, or auto',
    mend: 'write a number from 1 to 256, or auto',
  },
);

const maxRequests = withRules(
  z.object({
    count: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .meta({ [MEND]: 'write a whole number of requests, such as 5000' })
      .describe('Requests after which a process is replaced; the replacement is ready first.'),
    jitter: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .optional()
      .meta({ [MEND]: 'write a whole number of requests below count' })
      .describe(
        'A random number of requests up to this is added to count, so that processes do not leave together. Default: a tenth of count.',
      ),
  }),
  {
    cel: '!has(self.jitter) || self.jitter <= self.count',
    holds: (value) => value.jitter === undefined || value.jitter <= value.count,
    message: 'jitter must not be larger than count',
    mend: 'lower jitter, a tenth of count is usual',
  },
);

const workers = z
  .object({
    processes: processes
      .default('auto')
      .describe(
        'Application processes in each worker, or auto: one for each CPU of the limit, two at least. Changed in place.',
      ),
    threads: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .meta({ [MEND]: 'write a number from 1 to 1024' })
      .describe(
        'Requests that one process serves at a time: threads of a Python application (default 1), concurrent requests of a Node application (default 100). Changed in place.',
      ),
    timeout: timeout()
      .default('30s')
      .describe(
        'Longest time one request may take in the application. Then the client gets 504 and only that process is replaced.',
      ),
    gracefulTimeout: timeout()
      .default('30s')
      .describe('Longest time a process that is asked to leave may take to finish its requests.'),
    maxRequests: maxRequests.optional().describe('Replace a process after so many requests.'),
    maxMemory: quantity()
      .optional()
      .describe(
        'Replace a process whose resident memory grows past this, when it is idle; the replacement is ready first.',
      ),
    preload: z
      .boolean()
      .default(false)
      .describe(
        'Import a Python application once and fork the processes from that, to share memory and start faster. Node applications ignore it.',
      ),
    queue: z
      .object({
        max: z
          .int()
          .min(0)
          .max(100_000)
          .default(500)
          .meta({ [MEND]: 'write a number from 0 to 100000' })
          .describe('Requests that may wait for a free process; one more gets 503 with Retry-After.'),
        timeout: timeout().default('10s').describe('Longest wait for a free process; then 503 with Retry-After.'),
      })
      .prefault({})
      .describe('Where requests wait while every process is busy.'),
  })
  .prefault({})
  .describe('The application processes. Every field here changes in place: no pod restarts.');

const name = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .meta({ [MEND]: 'write the name of an object: lower-case letters, digits, - and .' });
const dataKey = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/)
    .meta({ [MEND]: 'write a key of its data: letters, digits, -, _ and .' });
const absolutePath = () =>
  z
    .string()
    .min(2)
    .max(1024)
    .regex(/^\/[^:\x00-\x1f]+$/)
    .meta({ [MEND]: 'write an absolute path without a colon, such as /etc/shop' });
/** `x-kubernetes-int-or-string`: what Kubernetes takes as a quantity. */
const resourceQuantity = withRules(
  z
    .union([
      z.int().min(0).max(2_147_483_647),
      z
        .string()
        .max(24)
        .regex(/^[0-9]+(\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/),
    ])
    .meta({ 'x-kubernetes-int-or-string': true, [MEND]: 'write a quantity such as 500m, 2, 512Mi or 1Gi' }),
  {
    cel: "type(self) == int ? self >= 0 : self.matches('^[0-9]{1,12}([.][0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$')",
    holds: () => true, // the union above says it already
    message: 'must be a quantity such as 500m, 2, 512Mi or 1Gi',
    mend: 'write a quantity such as 500m, 2, 512Mi or 1Gi',
  },
);
const stringMap = (most: number) => z.record(z.string().max(317), z.string().max(4096)).meta({ maxProperties: most });
/** Kubernetes' own shape, taken as it is and merged: the API server judges it when the Deployment is applied. */
const podTemplate = () =>
  z.looseObject({}).meta({
    'x-kubernetes-preserve-unknown-fields': true,
    [MEND]: 'write a mapping, as the template of a Deployment has it',
  });
const resources = () =>
  z
    .object({
      requests: z
        .record(z.string().max(63), resourceQuantity)
        .meta({ maxProperties: 16 })
        .optional()
        .describe('What is set aside for each pod, such as cpu and memory.'),
      limits: z
        .record(z.string().max(63), resourceQuantity)
        .meta({ maxProperties: 16 })
        .optional()
        .describe('What each pod may use at most.'),
    })
    .prefault({});

const envVar = withRules(
  z.object({
    name: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/)
      .meta({ [MEND]: 'write letters, digits and _ , not beginning with a digit' })
      .describe('Name of the variable.'),
    value: z
      .string()
      .max(32_768)
      .optional()
      .meta({ [MEND]: 'write text; put numbers, true and false in quotes' })
      .describe('Its value. Quote numbers and booleans.'),
    valueFrom: withRules(
      z.object({
        secretKeyRef: z
          .object({ name: name().describe('The Secret.'), key: dataKey().describe('The key in it.') })
          .optional()
          .describe('A key of a Secret of the same namespace.'),
        configMapKeyRef: z
          .object({ name: name().describe('The ConfigMap.'), key: dataKey().describe('The key in it.') })
          .optional()
          .describe('A key of a ConfigMap of the same namespace.'),
        fieldRef: z
          .object({
            fieldPath: z
              .string()
              .min(1)
              .max(256)
              .meta({ [MEND]: 'write a field of the pod such as metadata.name or status.podIP' })
              .describe('Such as metadata.name or status.podIP.'),
          })
          .optional()
          .describe('A field of the pod.'),
      }),
      {
        cel: '(has(self.secretKeyRef) ? 1 : 0) + (has(self.configMapKeyRef) ? 1 : 0) + (has(self.fieldRef) ? 1 : 0) == 1',
        holds: (value) => Object.values(value).filter((one) => one !== undefined).length === 1,
        message: 'must have exactly one of secretKeyRef, configMapKeyRef and fieldRef',
        mend: 'keep one of them',
      },
    )
      .optional()
      .describe('Where its value comes from, on Kubernetes. When the content changes, the pods are replaced.'),
  }),
  {
    cel: '!(has(self.value) && has(self.valueFrom))',
    holds: (variable) => variable.value === undefined || variable.valueFrom === undefined,
    message: 'value and valueFrom exclude each other',
    mend: 'keep one of them',
  },
);

const envFrom = withRules(
  z.object({
    prefix: z
      .string()
      .max(253)
      .regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/)
      .optional()
      .meta({ [MEND]: 'write letters, digits and _' })
      .describe('Put before the name of each variable.'),
    secretRef: z
      .object({ name: name().describe('The Secret.') })
      .optional()
      .describe('All keys of a Secret.'),
    configMapRef: z
      .object({ name: name().describe('The ConfigMap.') })
      .optional()
      .describe('All keys of a ConfigMap.'),
  }),
  {
    cel: 'has(self.secretRef) != has(self.configMapRef)',
    holds: (value) => (value.secretRef === undefined) !== (value.configMapRef === undefined),
    message: 'must have exactly one of secretRef and configMapRef',
    mend: 'keep one of them',
  },
);

const file = withRules(
  z.object({
    path: absolutePath().describe('Where its files appear: one for each key.'),
    secretName: name().optional().describe('The Secret.'),
    configMapName: name().optional().describe('The ConfigMap.'),
  }),
  {
    cel: 'has(self.secretName) != has(self.configMapName)',
    holds: (value) => (value.secretName === undefined) !== (value.configMapName === undefined),
    message: 'must have exactly one of secretName and configMapName',
    mend: 'keep one of them',
  },
);

const volume = withRules(
  z.object({
    name: z
      .string()
      .min(1)
      .max(50)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .meta({ [MEND]: 'write lower-case letters, digits and -' })
      .describe('Name of the volume.'),
    path: absolutePath().describe('Where it appears in the application’s container.'),
    readOnly: z.boolean().default(false).describe('Mounted for reading only.'),
    emptyDir: z
      .object({
        sizeLimit: resourceQuantity.optional().describe('The pod is evicted when it holds more.'),
        medium: z
          .enum(['', 'Memory'])
          .default('')
          .meta({ [MEND]: 'write Memory, or leave it out' })
          .describe('Memory: a file system in memory, counted with the pod’s.'),
      })
      .optional()
      .describe('An empty folder that lives as long as the pod.'),
    persistentVolumeClaim: z
      .object({ claimName: name().describe('The claim.') })
      .optional()
      .describe('A claim of the same namespace. All pods mount it: it must allow that (ReadWriteMany).'),
  }),
  {
    cel: 'has(self.emptyDir) != has(self.persistentVolumeClaim)',
    holds: (value) => (value.emptyDir === undefined) !== (value.persistentVolumeClaim === undefined),
    message: 'must have exactly one of emptyDir and persistentVolumeClaim',
    mend: 'keep one of them; other kinds of volume go into podTemplate',
  },
);

const migrate = z
  .object({
    command: z
      .array(z.string().min(1).max(4096))
      .min(1)
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'atomic', [MEND]: 'write a list of words such as [flask, db, upgrade]' })
      .describe('Run in the new image, with the application’s environment, files and volumes.'),
    timeout: timeout().default('10m').describe('Longest time it may take. Then it has failed.'),
  })
  .describe(
    'A Job before a new image is rolled out, once for each image and command, while the old pods serve. When it fails, they keep serving.',
  );

const autoscaling = withRules(
  z.object({
    minReplicas: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .meta({ [MEND]: 'write a number from 1 to 1000' })
      .describe('Pods at least.'),
    maxReplicas: z
      .int()
      .min(1)
      .max(1000)
      .meta({ [MEND]: 'write a number from 1 to 1000' })
      .describe('Pods at most.'),
    cpuPercent: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({ [MEND]: 'write a percentage such as 80' })
      .describe(
        'Pods are added when they use more than this share of resources.requests.cpu. Default, without memoryPercent: 80.',
      ),
    memoryPercent: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({ [MEND]: 'write a percentage such as 80' })
      .describe('Pods are added when they use more than this share of resources.requests.memory.'),
  }),
  {
    cel: 'self.minReplicas <= self.maxReplicas',
    holds: (value) => value.minReplicas <= value.maxReplicas,
    message: 'minReplicas must not be larger than maxReplicas',
    mend: 'raise maxReplicas or lower minReplicas',
  },
);

const rollout = z
  .object({
    progressDeadline: timeout()
      .default('10m')
      .describe('When new pods are not ready after this time, the rollout has failed: Degraded, with the cause.'),
    autoRollback: z
      .boolean()
      .default(false)
      .describe('Go back to the last version that was whole when a rollout has failed, until the spec changes again.'),
    maxSurge: withRules(
      z
        .union([
          z.int().min(1).max(1000),
          z
            .string()
            .max(4)
            .regex(/^[1-9][0-9]?%$|^100%$/),
        ])
        .meta({ 'x-kubernetes-int-or-string': true, [MEND]: 'write a number of pods, or a share such as 25%' }),
      {
        cel: "type(self) == int ? self >= 1 && self <= 1000 : self.matches('^([1-9][0-9]?|100)%$')",
        holds: () => true, // the union above says it already
        message: 'must be a number of pods from 1, or a share such as 25%',
        mend: 'write a number of pods, or a share such as 25%',
      },
    )
      .default('25%')
      .describe('Pods that may stand beside the wanted number during a rollout. None is ever missing.'),
    keepRevisions: z
      .int()
      .min(1)
      .max(20)
      .default(3)
      .meta({ [MEND]: 'write a number from 1 to 20' })
      .describe('Earlier versions that are kept, to go back to.'),
    rollOnOperatorUpgrade: z
      .boolean()
      .default(false)
      .describe(
        'Replace the pods when a newer operator would make them otherwise. Without it, that waits for the next change of the spec.',
      ),
  })
  .prefault({})
  .describe('How a new version takes the place of the old.');

const labelMatch = (what: string) =>
  z
    .object({ matchLabels: stringMap(16).optional().describe(`Labels of ${what}. None: all.`) })
    .optional()
    .describe(`Which ${what}.`);
const accessPeer = withRules(
  z.object({
    namespaceSelector: labelMatch('namespaces'),
    podSelector: labelMatch('pods'),
    ipBlock: z
      .object({
        cidr: z
          .string()
          .min(1)
          .max(64)
          .regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/)
          .meta({ [MEND]: 'write a range such as 10.0.0.0/8' })
          .describe('Such as 10.0.0.0/8.'),
        except: z
          .array(
            z
              .string()
              .min(1)
              .max(64)
              .regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/),
          )
          .max(64)
          .meta({ 'x-kubernetes-list-type': 'atomic', [MEND]: 'write ranges inside cidr' })
          .optional()
          .describe('Ranges inside it that may not.'),
      })
      .optional()
      .describe('A range of addresses.'),
  }),
  {
    cel: 'has(self.ipBlock) != (has(self.namespaceSelector) || has(self.podSelector))',
    holds: (peer) =>
      (peer.ipBlock !== undefined) !== (peer.namespaceSelector !== undefined || peer.podSelector !== undefined),
    message: 'must have either ipBlock, or namespaceSelector and podSelector or one of them',
    mend: 'write two entries instead of one',
  },
);
const access = z
  .object({
    from: z
      .array(accessPeer)
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe('Who may reach the proxy (as in a NetworkPolicy). Default: everyone. The workers take only the proxy.'),
  })
  .prefault({})
  .describe('Who may reach what, on networks that enforce NetworkPolicies.');

const monitoring = z
  .object({
    serviceMonitor: z
      .boolean()
      .default(false)
      .describe('Make a ServiceMonitor (Prometheus operator) for proxy and workers.'),
    podMonitor: z.boolean().default(false).describe('Make a PodMonitor (Prometheus operator) instead.'),
    interval: timeout().default('30s').describe('Time between two scrapes.'),
    labels: stringMap(16).optional().describe('Labels by which a Prometheus chooses its monitors.'),
  })
  .prefault({})
  .describe('Metrics for a Prometheus operator. Pods carry the prometheus.io annotations in any case.');

const hostname = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/)
    .meta({
      [MEND]:
        'write a host name in lower case such as shop.example.com or *.example.com, without scheme, port and path',
    });

const expose = withRules(
  z
    .object({
      type: z
        .enum(['None', 'LoadBalancer', 'Ingress', 'HTTPRoute'])
        .default('None')
        .meta({ [MEND]: 'write None, LoadBalancer, Ingress or HTTPRoute' })
        .describe(
          'None: reachable inside the cluster. LoadBalancer: a Service of that type. Ingress, HTTPRoute: for the hosts.',
        ),
      className: name().optional().describe('IngressClass, or loadBalancerClass. Default: the cluster’s.'),
      parentRef: z
        .object({
          name: name().describe('The Gateway.'),
          namespace: name().optional().describe('Its namespace. Default: the WebApp’s.'),
          sectionName: name().optional().describe('Its listener. Default: all that fit.'),
        })
        .optional()
        .describe('The Gateway that an HTTPRoute belongs to.'),
      annotations: stringMap(64).optional().describe('Annotations of the Ingress, HTTPRoute or Service.'),
    })
    .prefault({}),
  {
    cel: "(self.type == 'HTTPRoute') == has(self.parentRef)",
    holds: (value) => (value.type === 'HTTPRoute') === (value.parentRef !== undefined),
    message: 'type HTTPRoute and parentRef belong together',
    mend: 'add parentRef: {name: …} to type HTTPRoute, remove it from the others',
  },
);

const tls = withRules(
  z.object({
    secretName: name().optional().describe('A Secret of type kubernetes.io/tls.'),
    issuerRef: z
      .object({
        name: name().describe('The issuer.'),
        kind: z
          .enum(['Issuer', 'ClusterIssuer'])
          .default('Issuer')
          .meta({ [MEND]: 'write Issuer or ClusterIssuer' })
          .describe('Its kind.'),
      })
      .optional()
      .describe('A cert-manager issuer: a Certificate for the hosts is made.'),
  }),
  {
    cel: 'has(self.secretName) != has(self.issuerRef)',
    holds: (value) => (value.secretName === undefined) !== (value.issuerRef === undefined),
    message: 'must have exactly one of secretName and issuerRef',
    mend: 'keep one of them',
  },
);

const health = z
  .object({
    path: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^\/[!-~]*$/)
      .meta({ [MEND]: 'write a path that begins with /, such as /healthz' })
      .describe(
        'A path of the application. A new process takes requests when it has answered it with a status below 400.',
      ),
    interval: timeout().default('10s').describe('Time between two checks of one process.'),
    timeout: timeout().default('5s').describe('Longest time one check may take.'),
    failures: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .meta({ [MEND]: 'write a number from 1 to 100' })
      .describe('Checks in a row that fail before the process is replaced.'),
  })
  .describe(
    'How a process shows that it works. Without it, a process works when the application was imported and it does not hang.',
  );

const staticFolder = withRules(
  z.object({
    path: z
      .string()
      .min(1)
      .max(256)
      .regex(/^\/[A-Za-z0-9._~/-]*$/)
      .meta({ [MEND]: 'write a path that begins with /, such as /static' })
      .describe('Requests below this path are answered from the folder.'),
    from: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[^/\x00-\x1f][^\x00-\x1f]*$/)
      .meta({ [MEND]: 'write a folder inside the application, such as static' })
      .describe('The folder, relative to the application.'),
    maxAge: age().default('1h').describe('Cache-Control max-age.'),
    immutable: z
      .boolean()
      .default(false)
      .describe('The files of a name never change (their names hold a hash): browsers need not ask again.'),
  }),
  {
    cel: "!self.from.split('/').exists(part, part == '..')",
    holds: (value) => !value.from.split('/').includes('..'),
    message: 'must stay inside the application: no .. in it',
    mend: 'write a folder inside the application, such as static',
  },
);

const proxyFields = z
  .object({
    replicas: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .meta({ [MEND]: 'write a number from 1 to 1000' })
      .describe('Pods of the proxy, on Kubernetes.'),
    hosts: z
      .array(hostname())
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'set' })
      .optional()
      .describe('Host names that Ingress, HTTPRoute and certificate are made for.'),
    expose: expose.describe('How the proxy is reached from outside, on Kubernetes.'),
    tls: tls.optional().describe('The certificate of the hosts, for the Ingress or the Gateway.'),
    resources: resources().describe('CPU and memory of each proxy pod. Default: 100m and 128Mi requested.'),
    podTemplate: podTemplate().optional().describe('Laid over the proxy’s pod template by strategic merge.'),
    keepRevisions: z
      .int()
      .min(0)
      .max(5)
      .default(1)
      .meta({ [MEND]: 'write a number from 0 to 5' })
      .describe('Earlier images whose static files are still served, for pages that were loaded before a rollout.'),
    static: z
      .array(staticFolder)
      .max(32)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['path'] })
      .optional()
      .describe('Folders whose files the proxy serves itself.'),
    limits: z
      .object({
        body: quantity().default('10Mi').describe('Largest request body; a larger one gets 413.'),
      })
      .prefault({})
      .describe('Bounds on what a client may send.'),
    timeouts: z
      .object({
        requestHead: timeout().default('30s').describe('Longest time for a request head to arrive, in all. Then 408.'),
        requestBody: timeout().default('60s').describe('Longest silence inside a request body. Then 408.'),
        idle: timeout().default('75s').describe('How long a connection without a request is kept.'),
        send: timeout()
          .default('60s')
          .describe('Longest time a client may take no byte of its response. Then the connection is closed.'),
        connect: timeout()
          .default('5s')
          .describe('Longest time to connect to a worker. Then another is tried, at last 504.'),
        response: timeout()
          .optional()
          .describe(
            'Longest silence of a worker, before its response or inside it. Then 504. Default: what workers.timeout and workers.queue.timeout allow, and 5 s more.',
          ),
      })
      .prefault({})
      .describe('How long the proxy waits.'),
  })
  .prefault({});

const hasHosts = (proxy: { hosts?: readonly string[] | undefined }): boolean => (proxy.hosts?.length ?? 0) > 0;
const proxy = withRules(
  proxyFields,
  {
    cel: "!(self.expose.type in ['Ingress', 'HTTPRoute']) || (has(self.hosts) && size(self.hosts) > 0)",
    holds: (value) => !['Ingress', 'HTTPRoute'].includes(value.expose.type) || hasHosts(value),
    message: 'expose.type Ingress and HTTPRoute need hosts',
    mend: 'add hosts: [shop.example.com]',
  },
  {
    cel: "!has(self.tls) || self.expose.type == 'Ingress' || (self.expose.type == 'HTTPRoute' && has(self.tls.issuerRef))",
    holds: ({ tls: wanted, expose: { type } }) =>
      wanted === undefined || type === 'Ingress' || (type === 'HTTPRoute' && wanted.issuerRef !== undefined),
    message:
      'tls is for expose.type Ingress, or for HTTPRoute with issuerRef: the Ingress controller or the Gateway ends TLS',
    mend: 'set expose.type to Ingress, or name the certificate at the Gateway’s listener',
  },
).describe('The reverse proxy in front of the workers.');

export const specSchema = z.object({
  image: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[^\s]+$/)
    .meta({ [MEND]: 'write an image such as registry.example.com/shop:1.4.2' })
    .describe(
      'The application’s container image. `webapp up` runs the source beside the manifest and does not read it.',
    ),
  app: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^\s]+$/)
    .meta({ [MEND]: 'write module:callable such as shop:app for Python, or a file such as server.js for Node' })
    .describe(
      'What to serve: module:callable of a Python application (`shop:app`, or a factory, `shop:create_app()`), or path/to/server.js[:export] of a Node application.',
    ),
  runtime: z
    .enum(['auto', 'wsgi', 'node'])
    .default('auto')
    .meta({ [MEND]: 'write auto, wsgi or node' })
    .describe('How the application is run. auto: node when app names a .js, .mjs, .cjs or .ts file, otherwise wsgi.'),
  replicas: z
    .int()
    .min(0)
    .max(1000)
    .default(2)
    .meta({ [MEND]: 'write a number from 0 to 1000' })
    .describe(
      'Worker pods, on Kubernetes: what kubectl scale and a HorizontalPodAutoscaler set. Not looked at while autoscaling is set.',
    ),
  workers,
  resources: resources().describe(
    'CPU and memory of each worker pod, on Kubernetes. Default: 250m and 256Mi requested, or the limit when that is lower.',
  ),
  env: z
    .array(envVar)
    .max(256)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe('Environment variables of the application.'),
  envFrom: z
    .array(envFrom)
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Environment variables from Secrets and ConfigMaps, on Kubernetes. env goes before them.'),
  files: z
    .array(file)
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['path'] })
    .optional()
    .describe(
      'Secrets and ConfigMaps as folders of files, on Kubernetes. When the content changes, the pods are replaced.',
    ),
  volumes: z
    .array(volume)
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe(
      'Folders that the application may write to, on Kubernetes: its root file system is read-only, save /tmp.',
    ),
  imagePullSecrets: z
    .array(z.object({ name: name().describe('The Secret.') }))
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe('Secrets for registries that ask for a password.'),
  serviceAccountName: name()
    .optional()
    .describe(
      'ServiceAccount of the worker pods. Default: one of their own, without a token. A named one gets its token mounted.',
    ),
  health: health.optional(),
  proxy,
  migrate: migrate.optional(),
  autoscaling: autoscaling.optional().describe('Let a HorizontalPodAutoscaler choose the number of worker pods.'),
  rollout,
  access,
  monitoring,
  podTemplate: podTemplate()
    .optional()
    .describe(
      'Laid over the worker’s pod template by strategic merge: other containers, init containers, affinity, tolerations, … The application’s container is named app.',
    ),
  suspend: z.boolean().default(false).describe('No worker pods; the proxy answers 503 with a maintenance page.'),
});

export const webAppSchema = withRules(
  z.object({
    apiVersion: z.literal(API_VERSION).meta({ [MEND]: `write ${API_VERSION}` }),
    kind: z.literal(KIND).meta({ [MEND]: `write ${KIND}` }),
    metadata: z.looseObject({
      name: z
        .string()
        .min(1)
        .max(50)
        .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
        .meta({ [MEND]: 'write at most 50 lower-case letters, digits and -, beginning with a letter' }),
      namespace: z.string().max(63).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
    spec: specSchema,
  }),
  {
    cel: "size(self.metadata.name) <= 50 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    holds: () => true, // the schema above says it already; the CRD may not constrain metadata.name further than CEL does
    message: 'metadata.name must be at most 50 lower-case letters, digits and -, beginning with a letter',
    mend: 'choose a shorter name: the names of Deployments and Services are made from it',
  },
);

/** A WebApp as a person writes it. */
export type WebAppManifest = z.input<typeof webAppSchema>;
/** A WebApp with every default filled in. */
export type WebApp = z.output<typeof webAppSchema>;
export type WebAppSpec = WebApp['spec'];
