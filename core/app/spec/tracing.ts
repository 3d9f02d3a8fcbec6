// spec.tracing: where spans of proxy and worker go.
import { z } from 'zod';
import { MEND } from './values.ts';

/** http or https, a host, perhaps a port and a path; no user, query or fragment. */
export const TRACING_ENDPOINT_PATTERN =
  '^https?://([a-zA-Z0-9._-]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?(/[a-zA-Z0-9._~%/-]*)?$';

export const tracing = z
  .object({
    endpoint: z
      .string()
      .max(2048)
      .regex(new RegExp(TRACING_ENDPOINT_PATTERN))
      .meta({
        [MEND]: 'write an address such as http://collector.monitoring:4318, without user, password and query',
      })
      .describe('Where spans are sent, by OTLP over HTTP. /v1/traces is added.'),
    sampling: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .meta({ [MEND]: 'write a share from 0 to 1, such as 0.1' })
      .describe(
        'Share of the traces begun by the proxy that are kept, from 0 to 1. A request that comes with a trace follows what its sender decided.',
      ),
  })
  .describe(
    'Spans of proxy, queue and application for an OpenTelemetry collector. Without it none are made, and a client’s trace context goes on to the application as it is.',
  );
