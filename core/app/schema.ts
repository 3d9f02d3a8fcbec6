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

const envVar = z.object({
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
    .default('')
    .meta({ [MEND]: 'write text; put numbers, true and false in quotes' })
    .describe('Its value. Quote numbers and booleans.'),
});

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

const proxy = z
  .object({
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
  .prefault({})
  .describe('The reverse proxy in front of the workers.');

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
  workers,
  env: z
    .array(envVar)
    .max(256)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe('Environment variables of the application.'),
  health: health.optional(),
  proxy,
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
