// spec.env, envFrom, files and volumes: what the application finds around it.
import { z } from 'zod';
import { exactlyOne, withRules } from '../rules.ts';
import { absolutePath, dataKey, MEND, name, resourceQuantity } from './values.ts';

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
      exactlyOne(['secretKeyRef', 'configMapKeyRef', 'fieldRef']),
    )
      .optional()
      .describe('Where its value comes from, on Kubernetes. When the content changes, the pods are replaced.'),
  }),
  {
    cel: '!(has(self.value) && has(self.valueFrom))',
    holds: (variable) => variable.value === undefined || variable.valueFrom === undefined,
    message: 'value and valueFrom exclude each other',
    mend: 'keep one of them',
    found: { cel: "'both for ' + self.name", say: ({ name: variable }) => `both for ${variable}` },
  },
);

export const envFrom = withRules(
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
  exactlyOne(['secretRef', 'configMapRef']),
);

export const file = withRules(
  z.object({
    path: absolutePath().describe('Where its files appear: one for each key.'),
    secretName: name().optional().describe('The Secret.'),
    configMapName: name().optional().describe('The ConfigMap.'),
  }),
  exactlyOne(['secretName', 'configMapName']),
);

export const volume = withRules(
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
        sizeLimit: resourceQuantity
          .optional()
          .describe('A quantity such as 1Gi. The pod is evicted when it holds more.'),
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
  exactlyOne(
    ['emptyDir', 'persistentVolumeClaim'],
    'write one of them, and only one; other kinds of volume go into podTemplate',
  ),
);

/** Characters of all values together: they travel in one ConfigMap and in every pod. */
const MAX_ENV_CHARACTERS = 262_144;
export const env = withRules(
  z
    .array(envVar)
    .max(256)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  {
    cel: `self.map(variable, has(variable.value) ? size(variable.value) : 0).sum() <= ${MAX_ENV_CHARACTERS}`,
    holds: (list) => characters(list) <= MAX_ENV_CHARACTERS,
    message: `all values together must have at most ${MAX_ENV_CHARACTERS} characters`,
    mend: 'put long values into a Secret or ConfigMap and name it in files',
    found: {
      say: (list) => String(characters(list)),
    },
  },
);

function characters(list: readonly { readonly value?: string | undefined }[]): number {
  return list.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}
