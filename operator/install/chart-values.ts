// The chart's values, defined once: from here come values.yaml, values.schema.json and the table in the chart's README. What is said of a namespace,
// a duration or a flag's default elsewhere too is held equal by e2e/cluster/chart.test.ts, where Helm renders.
import { z } from 'zod';
import { TIMEOUT_PATTERN } from '../../core/quantity.ts';
import { MEMORY_ENV, makeResources } from './workload.ts';

const MAX_LIST = 100;

const namespace = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const duration = z.string().regex(new RegExp(TIMEOUT_PATTERN));
/** Of labels and annotations. */
const texts = z.record(z.string(), z.string()).default({});
const toggle = (value: boolean) => z.boolean().default(value);
const count = (least: number, most: number, value: number) => z.int().min(least).max(most).default(value);

const pullSecrets = z
  .array(z.strictObject({ name: z.string().min(1).describe('The Secret, in the namespace of the release.') }))
  .max(MAX_LIST)
  .default([]);

/** Digests are told from tags by their own value, so that neither is guessed from the text of the other. */
const image = (repository: string) => ({
  registry: z.string().default('').describe('Such as `registry.example.com`. Empty: `global.imageRegistry`.'),
  repository: z.string().min(1).default(repository).describe('Its name below the registry.'),
  tag: z.string().default('').describe('Empty: the chart’s `appVersion`.'),
  digest: z
    .string()
    .regex(/^(sha256:[0-9a-f]{64})?$/)
    .default('')
    .describe('Such as `sha256:…`. Goes before the tag.'),
});

/** Of a container: as Kubernetes writes it. */
const quantities = z.record(z.string(), z.union([z.string(), z.number()]));

export const chartValuesSchema = z.strictObject({
  global: z
    .looseObject({
      imageRegistry: z.string().default('').describe('In front of both images, unless they name their own.'),
      imagePullSecrets: pullSecrets.describe('Beside `imagePullSecrets`.'),
    })
    .prefault({})
    .describe('Shared with the charts around this one, where it is a dependency. What is not named here is theirs.'),
  enabled: z
    .boolean()
    .optional()
    .describe('Not read here: the usual `condition` of a chart that has this one as a dependency.'),
  replicas: count(0, 10, 2).describe('Of the operator. One leads, the others take over within seconds. 0: none works.'),
  image: z
    .strictObject({
      ...image('webapp-operator'),
      pullPolicy: z
        .enum(['', 'Always', 'IfNotPresent', 'Never'])
        .default('')
        .describe('Empty: what Kubernetes does, which is IfNotPresent for any tag but `latest`.'),
    })
    .prefault({})
    .describe('The operator’s image.'),
  proxyImage: z
    .strictObject(image('webapp-proxy'))
    .prefault({})
    .describe(
      'The image of the proxies that the operator makes in the namespaces of WebApps, so nodes there must be able to pull it.',
    ),
  imagePullSecrets: pullSecrets.describe('For the operator’s image.'),
  watchNamespaces: z
    .array(namespace)
    .max(MAX_LIST)
    .meta({ uniqueItems: true })
    .default([])
    .describe(
      'Namespaces whose WebApps are looked after; they must exist. The operator then has rights in these and in its own, none in others. Empty: all.',
    ),
  clusterDomain: z.string().min(1).default('cluster.local').describe('In which Services have their names.'),
  drainDelay: duration
    .default('5s')
    .describe(
      'How long pods of WebApps still take requests after SIGTERM. A change replaces no running pod until its next rollout.',
    ),
  concurrency: count(1, 100, 10).describe('WebApps looked at at a time.'),
  statusInterval: duration
    .default('30s')
    .describe('Between two looks at a worker that has no news; news it tells at once. `0s`: workers are not asked.'),
  resyncInterval: duration.default('10h').describe('Between two looks at everything, in case something was missed.'),
  crds: z
    .strictObject({
      enabled: toggle(true).describe(
        'Whether the release holds the CustomResourceDefinition, so that `helm upgrade` upgrades it. Off where something else applies it, such as a second release in the cluster.',
      ),
      keep: toggle(true).describe(
        'Whether it outlives `helm uninstall`. Without it every WebApp is deleted with it, and with each WebApp all that serves.',
      ),
    })
    .prefault({})
    .describe('The CustomResourceDefinition of WebApps.'),
  rbac: z
    .strictObject({
      create: toggle(true).describe('What the operator may do. Off where administrators give it that themselves.'),
      people: toggle(true).describe(
        'ClusterRoles `webapps-view` and `webapps-edit`: whoever may view or edit a namespace may do so with its WebApps. Off in a second release in the cluster.',
      ),
    })
    .prefault({})
    .describe('Roles and their bindings.'),
  serviceAccount: z
    .strictObject({
      create: toggle(true).describe('Off: `name` is there already.'),
      name: z.string().default('').describe('Empty: `webapp-operator`.'),
      annotations: texts.describe('Its annotations.'),
    })
    .prefault({})
    .describe('Whom the operator acts as.'),
  resources: z
    .strictObject({
      requests: quantities.optional().describe('What is kept free for it.'),
      limits: quantities.optional().describe('What it may not exceed.'),
    })
    .default(makeResources())
    .describe('CPU and memory of each replica. 5,000 WebApps fit into 256Mi.'),
  env: z
    .record(z.string(), z.string())
    .default(MEMORY_ENV)
    .describe('Environment variables. `max-old-space-size` (MiB) bounds the heap: raise it with the memory limit.'),
  priorityClass: z
    .strictObject({
      name: z
        .string()
        .default('')
        .describe('Of the pods. Empty: `webapp-operator` if it is made here, else the cluster’s default.'),
      create: toggle(false).describe('Whether the release makes it.'),
      value: count(-1_000_000_000, 1_000_000_000, 1_000_000).describe(
        'Of the one that is made. Kubernetes lets no one change it later.',
      ),
    })
    .prefault({})
    .describe('Who goes first when a cluster is full. Applications serve on without the operator, so none is needed.'),
  nodeSelector: texts.describe('Labels of nodes that the pods may go to.'),
  tolerations: z.array(z.looseObject({})).max(MAX_LIST).default([]).describe('Taints of nodes that the pods tolerate.'),
  affinity: z.looseObject({}).default({}).describe('As in a pod. The replicas are spread over nodes in any case.'),
  podAnnotations: texts.describe('Annotations of the pods.'),
  podLabels: texts.describe('Labels of the pods, beside their own.'),
  commonLabels: texts.describe('Labels of every object of the release, beside their own; not of the pods.'),
  podDisruptionBudget: z
    .strictObject({ enabled: toggle(true).describe('Whether a drain of nodes takes one replica at a time.') })
    .prefault({})
    .describe('PodDisruptionBudget of the operator.'),
  networkPolicy: z
    .strictObject({ enabled: toggle(true).describe('Whether pods take connections on the admin port only.') })
    .prefault({})
    .describe('NetworkPolicy of the operator. What goes out is left alone: the API server, and workers everywhere.'),
  serviceMonitor: z
    .strictObject({
      enabled: toggle(false).describe('Whether there is one. The API of the Prometheus operator must be there.'),
      interval: duration.default('30s').describe('Between two scrapes.'),
      labels: texts.describe('By which a Prometheus finds it, such as `release: prometheus`.'),
    })
    .prefault({})
    .describe(
      'ServiceMonitor of the operator. With it, the pods lose their annotations `prometheus.io/scrape`, so as not to be scraped twice.',
    ),
  dashboards: z
    .strictObject({
      enabled: toggle(false).describe('Whether there are any: one ConfigMap for each.'),
      labels: z
        .record(z.string(), z.string())
        .default({ grafana_dashboard: '1' })
        .describe(
          'By which the sidecar of Grafana’s chart finds them; it takes these from any namespace if it is told so.',
        ),
      annotations: texts.describe('Such as `grafana_folder: WebApps`, the folder where the sidecar is to put them.'),
    })
    .prefault({})
    .describe('Dashboards for Grafana. The same are in manifests/dashboards/.'),
  alerts: z
    .strictObject({
      enabled: toggle(false).describe('Whether there are any. The API of the Prometheus operator must be there.'),
      labels: texts.describe('By which a Prometheus finds them, such as `release: prometheus`.'),
      objective: z
        .union([z.number().min(50).max(99.999), z.string().regex(/^[5-9]\d(\.\d{1,3})?$/)])
        .default(99.9)
        .describe('Percent of the requests of each WebApp that shall not fail. Alerts tell when too many do for it.'),
      runbooks: z
        .string()
        .regex(/^https?:\/\/\S+[^/\s]$/)
        .default('https://webapp-operator.io/docs/runbooks')
        .describe('Where docs/runbooks/ can be read: each alert links to its page there.'),
    })
    .prefault({})
    .describe('PrometheusRule with recording rules and alerts. The same are in manifests/alerts.yaml.'),
});

export type ChartValues = z.output<typeof chartValuesSchema>;

/** @returns the defaults */
export function makeChartValues(): ChartValues {
  return chartValuesSchema.parse({});
}
