// spec.proxy: the reverse proxy, and how it is reached.
import { z } from 'zod';
import { exactlyOne, withRules } from '../rules.ts';
import { age, hostname, MEND, name, podTemplate, quantity, resources, stringMap, timeout } from './values.ts';

const expose = withRules(
  z.object({
    type: z
      .enum(['None', 'LoadBalancer', 'Ingress', 'HTTPRoute'])
      .default('None')
      .meta({ [MEND]: 'write None, LoadBalancer, Ingress or HTTPRoute' })
      .describe(
        'None: reachable inside the cluster. LoadBalancer: a Service of that type. Ingress, HTTPRoute: for the hosts.',
      ),
    className: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(\/[-._A-Za-z0-9]{1,63})?$/)
      .optional()
      .meta({ [MEND]: 'write the name of a class such as nginx or service.k8s.aws/nlb' })
      .describe('IngressClass, or loadBalancerClass. Default: the cluster’s.'),
    parentRef: z
      .object({
        name: name().describe('The Gateway.'),
        namespace: name().optional().describe('Its namespace. Default: the WebApp’s.'),
        sectionName: name().optional().describe('Its listener. Default: all that fit.'),
      })
      .optional()
      .describe('The Gateway that an HTTPRoute belongs to.'),
    annotations: stringMap(64).optional().describe('Annotations of the Ingress, HTTPRoute or Service.'),
  }),
  {
    cel: "(self.?type.orValue('None') == 'HTTPRoute') == has(self.parentRef)",
    holds: (value) => (value.type === 'HTTPRoute') === (value.parentRef !== undefined),
    message: 'type HTTPRoute and parentRef belong together',
    mend: 'add parentRef: {name: …} to type HTTPRoute, remove it from the others',
    field: ['parentRef'],
    found: {
      cel: "self.type + (has(self.parentRef) ? ' with' : ' without') + ' parentRef'",
      say: (value) => `${value.type} ${value.parentRef ? 'with' : 'without'} parentRef`,
    },
  },
).prefault({});

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
  exactlyOne(['secretName', 'issuerRef']),
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
    field: ['from'],
    found: { cel: 'self.from', say: ({ from }) => from },
  },
);

const proxyFields = z.object({
  replicas: z
    .int()
    .min(1)
    .max(1000)
    .default(2)
    .meta({ [MEND]: 'write a number from 1 to 1000' })
    .describe('Pods of the proxy, on Kubernetes.'),
  hosts: z
    .array(hostname())
    .max(16) // an HTTPRoute takes no more
    .meta({ 'x-kubernetes-list-type': 'set', [MEND]: 'write at most 16 hosts; *.example.com stands for many' })
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
});

const hasHosts = (proxy: { hosts?: readonly string[] | undefined }): boolean => (proxy.hosts?.length ?? 0) > 0;
export const proxy = withRules(
  proxyFields,
  {
    cel: "!(self.?expose.?type.orValue('None') in ['Ingress', 'HTTPRoute']) || (has(self.hosts) && size(self.hosts) > 0)",
    holds: (value) => !['Ingress', 'HTTPRoute'].includes(value.expose.type) || hasHosts(value),
    message: 'expose.type Ingress and HTTPRoute need hosts',
    mend: 'add hosts: [shop.example.com]',
    field: ['hosts'],
    found: { cel: "'none for ' + self.expose.type", say: ({ expose: { type } }) => `none for ${type}` },
  },
  {
    cel: "!has(self.tls) || self.expose.type == 'Ingress' || (self.expose.type == 'HTTPRoute' && !has(self.tls.secretName))",
    holds: ({ tls: wanted, expose: { type } }) =>
      wanted === undefined || type === 'Ingress' || (type === 'HTTPRoute' && wanted.secretName === undefined),
    message:
      'tls is for expose.type Ingress, or for HTTPRoute with issuerRef: the Ingress controller or the Gateway ends TLS',
    mend: 'set expose.type to Ingress, or name the certificate at the Gateway’s listener',
    field: ['tls'],
    found: {
      cel: "self.expose.type + (has(self.tls.secretName) ? ' with secretName' : ' with issuerRef')",
      say: ({ tls: wanted, expose: { type } }) => `${type} with ${wanted?.secretName ? 'secretName' : 'issuerRef'}`,
    },
  },
)
  .prefault({})
  .describe('The reverse proxy in front of the workers.');
