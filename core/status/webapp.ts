// The status of a WebApp: what the operator has seen. Written only when it differs; holds no counter that moves by itself.
import { z } from 'zod';
import { CONDITION_TYPES } from '../app/conditions.ts';

const count = () => z.int().min(0).max(1_000_000);
const text = (most: number) => z.string().max(most);
/** `ready/desired`, made for a column of kubectl: a printer column shows one field. */
const summary = () => text(32).describe('ready/desired.');
const desired = () => count().describe('How many there are to be.');
const ready = () => count().describe('How many serve.');

export const conditionSchema = z.object({
  type: z.enum(CONDITION_TYPES).describe('What is told of.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
  observedGeneration: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .optional()
    .describe('The generation of the spec it was seen with.'),
  lastTransitionTime: text(64).describe('When status last changed.'),
  reason: text(128).describe('Why, in one word; docs/reference.md lists them.'),
  message: text(4096).describe('Why, for people.'),
});

export const problemSchema = z.object({
  field: text(512).describe('The field of the spec to look at, such as spec.image.'),
  type: text(64).describe('What kind of problem, a reason of the condition Degraded.'),
  message: text(4096).describe('What is wrong.'),
  mend: text(1024).describe('What to do about it.'),
});

export const webAppStatusSchema = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .max(2_147_483_647)
      .optional()
      .describe('The generation of the spec that this status is of.'),
    state: text(64).optional().describe('The state in one word: the most telling reason of the conditions.'),
    url: text(512).optional().describe('Where the application is reached.'),
    image: text(512).optional().describe('The image that serves.'),
    revision: text(64).optional().describe('The version that serves: see the ControllerRevisions of the WebApp.'),
    lastGoodRevision: text(64).optional().describe('The last version whose rollout was complete.'),
    failedRevision: text(64).optional().describe('A version whose rollout failed, and was rolled back.'),
    replicas: count().optional().describe('Worker pods there are, for /scale.'),
    selector: text(1024).optional().describe('Label selector of the worker pods, for /scale.'),
    pods: z
      .object({
        desired: desired(),
        ready: ready(),
        updated: count().describe('How many are of the newest version.'),
        summary: summary(),
      })
      .optional()
      .describe('Worker pods.'),
    proxies: z.object({ desired: desired(), ready: ready(), summary: summary() }).optional().describe('Proxy pods.'),
    workers: z
      .object({ desired: desired(), ready: ready(), summary: summary() })
      .optional()
      .describe('Application processes of all worker pods, as the workers tell.'),
    queue: count().optional().describe('Requests that waited for a process when the workers were last asked.'),
    conditions: z
      .array(conditionSchema)
      .max(16)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
      .optional()
      .describe('Ready, Progressing, Degraded, ConfigApplied.'),
    problems: z
      .array(problemSchema)
      .max(32)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe('What is wrong, and how to mend it.'),
  })
  .describe('What the operator has seen.');

export type WebAppStatus = z.output<typeof webAppStatusSchema>;
export type Condition = z.output<typeof conditionSchema>;
export type StatusProblem = z.output<typeof problemSchema>;
