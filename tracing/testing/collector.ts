// A collector of traces for tests: takes OTLP over HTTP (JSON), as opentelemetry-proto's `ExportTraceServiceRequest` has it, or hangs.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

/** 64-bit integers are strings in protobuf's JSON; the exporter may write small ones as numbers. */
const valueSchema = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
  z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
  z.object({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
]);
const attributesSchema = z
  .array(z.object({ key: z.string(), value: valueSchema }))
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));
const id = (digits: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const nanoseconds = z.string().regex(/^\d+$/).transform(BigInt);
const spanSchema = z.object({
  traceId: id(32),
  spanId: id(16),
  parentSpanId: id(16).optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes: attributesSchema,
  status: z.object({ code: z.int() }),
});
const requestSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
});

export interface CollectedSpan extends z.output<typeof spanSchema> {
  /** `service.name` of its resource. */
  readonly service: string;
}

export interface Collector {
  readonly endpoint: string;
  /** All that were taken, in the order of their coming. */
  readonly spans: readonly CollectedSpan[];
  /** Requests that came, those too that got no answer. */
  readonly asked: () => number;
}

/** Closed when the test ends. @param hangs takes connections and requests, and never answers */
export async function openCollector(hangs = false): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    if (!hangs) void take(request, response, spans);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, asked: () => asked };
}

async function take(request: IncomingMessage, response: ServerResponse, spans: CollectedSpan[]): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const isRight = request.method === 'POST' && request.url === '/v1/traces';
  const parsed = isRight ? requestSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString())) : undefined;
  if (!parsed?.success) {
    console.error(`not OTLP: ${request.method} ${request.url} ${parsed?.error}`);
    response.writeHead(400).end();
    return;
  }
  for (const { resource, scopeSpans } of parsed.data.resourceSpans)
    for (const span of scopeSpans.flatMap((scope) => scope.spans))
      spans.push({ ...span, service: String(resource.attributes['service.name']) });
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}
