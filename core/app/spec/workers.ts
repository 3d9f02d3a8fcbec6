// spec.workers and spec.health: the application processes.
import { z } from 'zod';
import { withRules } from '../rules.ts';
import { MEND, quantity, timeout } from './values.ts';

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
    field: ['jitter'],
    found: {
      say: ({ jitter, count }) => `${jitter} of ${count}`,
    },
  },
);

export const workers = z
  .object({
    processes: processes
      .default('auto')
      .describe(
        'A number of application processes in each worker, or auto: one for each CPU of the limit, two at least. Changed in place.',
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

export const health = z
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
