// The part of proxy.json and worker.json on traces. Absent: none are exported.
import { z } from 'zod';
import type { WebApp } from '../app/schema.ts';
import { TRACING_ENDPOINT_PATTERN } from '../app/spec/tracing.ts';

export const tracingConfigSchema = z.strictObject({
  /** Base address of an OTLP/HTTP collector; `/v1/traces` is added. */
  endpoint: z.string().max(2048).regex(new RegExp(TRACING_ENDPOINT_PATTERN)),
  /** Share of the traces begun here that are kept, 0 to 1. Of those begun by others, whoever began them has decided. */
  ratio: z.number().min(0).max(1),
});

export type TracingConfig = z.output<typeof tracingConfigSchema>;

/** @returns the field as the document has it: `{}` when there is nothing to export to */
export function tracingOf({ spec: { tracing } }: WebApp): { tracing?: TracingConfig } {
  return tracing === undefined ? {} : { tracing: { endpoint: tracing.endpoint, ratio: tracing.sampling } };
}
