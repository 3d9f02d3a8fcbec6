// spec.tracing of WebApps that have none, from the variables of OpenTelemetry that a person's own application goes by too. Pure.

import type { WebApp } from '../../core/app/schema.ts';
import { tracing as tracingSchema } from '../../core/app/spec/tracing.ts';
import { MEND } from '../../core/app/spec/values.ts';
import { Failure } from '../failure.ts';

export type TracingSpec = NonNullable<WebApp['spec']['tracing']>;

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const SAMPLING = 'OTEL_TRACES_SAMPLER_ARG';

/** OpenTelemetry's own default, and what one wants who looks for a single request: all. */
const DEFAULT_SAMPLING = 1;

/**
 * @returns undefined when the variables name no collector; an empty one counts as not set (OpenTelemetry's specification)
 * @throws Failure USAGE that names the variable, its value and the mend
 */
export function tracingFromVariables(variables: Readonly<Record<string, string | undefined>>): TracingSpec | undefined {
  const endpoint = variables[ENDPOINT]?.trim() ?? '';
  if (endpoint === '') return undefined;
  const { shape } = tracingSchema;
  if (!shape.endpoint.safeParse(endpoint).success) throw wrong(ENDPOINT, endpoint, mendOf(shape.endpoint));
  const share = variables[SAMPLING]?.trim() ?? '';
  const sampling = share === '' ? DEFAULT_SAMPLING : Number(share);
  if (!shape.sampling.safeParse(sampling).success) throw wrong(SAMPLING, share, mendOf(shape.sampling));
  return { endpoint, sampling };
}

const mendOf = (field: { meta(): Readonly<Record<string, unknown>> | undefined }): string =>
  `${field.meta()?.[MEND]}, unset it, or say tracing in the manifest`;

function wrong(variable: string, value: string, mend: string): Failure {
  return new Failure(
    'USAGE',
    `the environment variable ${variable} cannot be used: ${JSON.stringify(value.slice(0, 200))}`,
    mend,
  );
}
