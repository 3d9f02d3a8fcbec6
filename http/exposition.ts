// How metrics are written out: the text format that Prometheus has always read, or OpenMetrics for those who ask for it, which alone carries
// exemplars.
import { type OpenMetricsContentType, Registry } from 'prom-client';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** @param accept the Accept header; '' when there is none */
export async function expose(registry: Registry, accept: string): Promise<Exposition> {
  const chosen = wantsOpenMetrics(accept) ? openMetricsView(registry) : registry;
  return { contentType: chosen.contentType, body: await chosen.metrics() };
}

const MAX_ACCEPT = 2_000;

/** Whether Accept prefers OpenMetrics 1.0 to plain text (RFC 9110 §12.5.1). Prometheus does. */
export function wantsOpenMetrics(accept: string): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const range of accept.slice(0, MAX_ACCEPT).toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    const version = parameters.find((parameter) => parameter.startsWith('version=')) ?? 'version=1.0.0';
    if (type === 'text/plain') text = Math.max(text, quality);
    if (type === 'application/openmetrics-text' && version === 'version=1.0.0')
      openMetrics = Math.max(openMetrics, quality);
  }
  return openMetrics > 0 && openMetrics >= text;
}

/**
 * The same metrics in the other format. prom-client takes `_total` off a counter's name for good when it writes OpenMetrics, and the next scrape in
 * text would lack it, even one at the same time; so it is given objects to write on that inherit all else.
 */
function openMetricsView(registry: Registry): Registry<OpenMetricsContentType> {
  const view: Registry<OpenMetricsContentType> = Object.create(registry);
  view.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  view.getMetricsAsArray = () =>
    registry.getMetricsAsArray().map((metric) => (isCounter(metric) ? Object.create(metric) : metric));
  return view;
}

/** Its types say that the kind is a number; it is a word. */
function isCounter({ type }: { readonly type: unknown }): boolean {
  return type === 'counter';
}
