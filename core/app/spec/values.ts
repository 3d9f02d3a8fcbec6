// Values that many fields of a WebApp share: durations, sizes, names, paths. Makers give a fresh schema at each call: a rule or a description of
// one field must not show at another.
import { z } from 'zod';
import { DURATION_PATTERN, MAX_TIMEOUT_MS, parseDuration, QUANTITY_PATTERN, TIMEOUT_PATTERN } from '../../quantity.ts';
import { withRules } from '../rules.ts';

/** What to write instead, shown with a problem of this field: read by validation, left out of the CRD. */
export const MEND = 'mend';

const TIMEOUT_MEND = 'write a duration such as 500ms, 30s, 5m or 1h30m, at most 24h';

/** Makes a fresh schema at each call: a rule or a description of one field must not show at another. */
export const timeout = () =>
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
export const age = () =>
  z
    .string()
    .max(32)
    .regex(new RegExp(DURATION_PATTERN))
    .meta({ [MEND]: 'write a duration such as 0s, 10m, 7d or 1y' });
export const quantity = () =>
  z
    .string()
    .max(16)
    .regex(new RegExp(QUANTITY_PATTERN))
    .meta({ [MEND]: 'write a size such as 512Ki, 10Mi or 2Gi' });

export const name = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
    .meta({ [MEND]: 'write the name of an object: lower-case letters, digits, - and .' });
export const dataKey = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/)
    .meta({ [MEND]: 'write a key of its data: letters, digits, -, _ and .' });
export const absolutePath = () =>
  z
    .string()
    .min(2)
    .max(1024)
    .regex(/^\/[^:\x00-\x1f]+$/)
    .meta({ [MEND]: 'write an absolute path without a colon, such as /etc/shop' });
const RESOURCE_PATTERN = '^[0-9]{1,12}([.][0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$';
/** `x-kubernetes-int-or-string`: what Kubernetes takes as a quantity. */
export const resourceQuantity = withRules(
  z
    .union([z.int().min(0).max(2_147_483_647), z.string().max(24).regex(new RegExp(RESOURCE_PATTERN))])
    .meta({ 'x-kubernetes-int-or-string': true, [MEND]: 'write a quantity such as 500m, 2, 512Mi or 1Gi' }),
  {
    cel: `type(self) == int ? self >= 0 && self <= 2147483647 : self.matches(r'${RESOURCE_PATTERN}')`,
    holds: () => true, // the union above says it already
    message: 'must be a quantity such as 500m, 2, 512Mi or 1Gi',
    mend: 'write a quantity such as 500m, 2, 512Mi or 1Gi',
  },
);
/** Annotations. */
export const stringMap = (most: number) => mapping(most, 317, z.string().max(4096));
/** Labels. */
export const labels = (most: number) =>
  mapping(
    most,
    317,
    z
      .string()
      .max(63)
      .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/)
      .meta({ [MEND]: 'write letters, digits, -, _ and . , beginning and ending with a letter or digit' }),
  );

/** A structural schema cannot bound the number of keys' characters, nor do all zod's issues reach the CRD: rules say both. */
function mapping<V extends z.ZodType>(most: number, keyLength: number, value: V) {
  return withRules(z.record(z.string(), value).meta({ maxProperties: most }), {
    cel: `self.all(key, size(key) <= ${keyLength})`,
    holds: (map) => Object.keys(map).every((key) => key.length <= keyLength),
    message: `each key must have at most ${keyLength} characters`,
    mend: 'shorten it',
  });
}
/** Kubernetes' own shape, taken as it is and merged: the API server judges it when the Deployment is applied. */
export const podTemplate = () =>
  z.looseObject({}).meta({
    'x-kubernetes-preserve-unknown-fields': true,
    [MEND]: 'write a mapping, as the template of a Deployment has it',
  });
export const resources = () =>
  z
    .object({
      requests: mapping(16, 63, resourceQuantity)
        .optional()
        .describe('Quantities that are set aside for each pod, such as cpu: 500m and memory: 512Mi.'),
      limits: mapping(16, 63, resourceQuantity)
        .optional()
        .describe('Quantities that each pod may use at most, such as cpu: 2 and memory: 1Gi.'),
    })
    .prefault({});

export const hostname = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/)
    .meta({
      [MEND]:
        'write a host name in lower case such as shop.example.com or *.example.com, without scheme, port and path',
    });
