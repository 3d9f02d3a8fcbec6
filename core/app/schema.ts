// The WebApp resource, defined once: from here come the CRD, the TypeScript types (as written, as defaulted), validation, and
// docs/reference.md. Only what a structural schema can say is used (no union, nullable, transform, refine); what it cannot
// say is a `Rule`. A field enters with the change that makes it work.
import { z } from 'zod';
import { withRules } from './rules.ts';
import { env, envFrom, file, volume } from './spec/environment.ts';
import { access, autoscaling, migrate, monitoring, rollout } from './spec/operations.ts';
import { proxy } from './spec/proxy.ts';
import { tracing } from './spec/tracing.ts';
import { MEND, name, podTemplate, resources } from './spec/values.ts';
import { health, workers } from './spec/workers.ts';

export const GROUP = 'webapp-operator.io';
export const VERSION = 'v1alpha1';
export const KIND = 'WebApp';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Annotation: the folder of the application's source, relative to the manifest, for `webapp up`. Default: the manifest's. */
export const SOURCE_ANNOTATION = `${GROUP}/source`;

/** Annotation: a new value replaces every pod, as `kubectl rollout restart` does. Any text; a time by custom. */
export const RESTARTED_AT_ANNOTATION = `${GROUP}/restartedAt`;

export const specSchema = z
  .object({
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
    env: env.optional().describe('Environment variables of the application.'),
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
    tracing: tracing.optional(),
    podTemplate: podTemplate()
      .optional()
      .describe(
        'Laid over the worker’s pod template by strategic merge: other containers, init containers, affinity, tolerations, … The application’s container is named app.',
      ),
    suspend: z.boolean().default(false).describe('No worker pods; the proxy answers 503 with a maintenance page.'),
  })
  .describe('What is wanted: the application, and how it is served.');

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
    field: ['metadata', 'name'],
    found: {
      say: ({ metadata }) => metadata.name,
    },
    holds: () => true, // the schema above says it already; the CRD may not constrain metadata.name further than CEL does
    message: 'must be at most 50 lower-case letters, digits and -, beginning with a letter',
    mend: 'choose a shorter name: the names of Deployments and Services are made from it',
  },
);

/** A WebApp as a person writes it. */
export type WebAppManifest = z.input<typeof webAppSchema>;
/** A WebApp with every default filled in. */
export type WebApp = z.output<typeof webAppSchema>;
export type WebAppSpec = WebApp['spec'];
