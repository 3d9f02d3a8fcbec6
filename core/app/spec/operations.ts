// spec.migrate, autoscaling, rollout, access and monitoring: how an application is run on Kubernetes.
import { z } from 'zod';
import { withRules } from '../rules.ts';
import { labels, MEND, timeout } from './values.ts';

export const migrate = z
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

export const autoscaling = withRules(
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
    field: ['minReplicas'],
    found: {
      say: (value) => `${value.minReplicas} and ${value.maxReplicas}`,
    },
  },
);

export const rollout = z
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
      .describe(
        'A number of pods, or a share such as 25%, that may stand beside the wanted ones during a rollout. None is ever missing.',
      ),
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
    .object({ matchLabels: labels(16).optional().describe(`Labels of ${what}. None: all.`) })
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
              .regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/)
              .meta({ [MEND]: 'write a range inside cidr, such as 10.1.0.0/16' }),
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
    found: {
      cel: "(has(self.ipBlock) ? 'both' : 'none of them')",
      say: ({ ipBlock }) => (ipBlock ? 'both' : 'none of them'),
    },
  },
);
export const access = z
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

export const monitoring = z
  .object({
    serviceMonitor: z
      .boolean()
      .default(false)
      .describe('Make a ServiceMonitor (Prometheus operator) for proxy and workers.'),
    podMonitor: z.boolean().default(false).describe('Make a PodMonitor (Prometheus operator) instead.'),
    interval: timeout().default('30s').describe('Time between two scrapes.'),
    labels: labels(16).optional().describe('Labels by which a Prometheus chooses its monitors.'),
  })
  .prefault({})
  .describe('Metrics for a Prometheus operator. Pods carry the prometheus.io annotations in any case.');
