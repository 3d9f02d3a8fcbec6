// What tells a Prometheus operator to scrape the admin ports. A PodMonitor takes the place of a ServiceMonitor: with both, each pod would
// be scraped twice.
import { formatDuration, parseDuration } from '../../../core/quantity.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { LABEL, MANAGED_BY, names, PORT_NAME } from '../names.ts';
import { makeChild } from './child.ts';
import type { RenderInput } from './input.ts';

export function renderMonitors({ webApp, apis }: RenderInput): KubeObject[] {
  const { interval, labels, podMonitor, serviceMonitor } = webApp.spec.monitoring;
  const { name } = webApp.metadata;
  const kind = podMonitor ? 'PodMonitor' : serviceMonitor ? 'ServiceMonitor' : undefined;
  if (kind === undefined || !apis.has(kind)) return [];
  // Prometheus wants the units from the largest to the smallest, each once.
  const endpoint = { port: PORT_NAME.admin, path: '/metrics', interval: formatDuration(parseDuration(interval)) };
  return [
    makeChild(
      webApp,
      kind,
      { name: names.edge(name), labels },
      {
        spec: {
          jobLabel: LABEL.name,
          selector: { matchLabels: { [LABEL.name]: name, [LABEL.managedBy]: MANAGED_BY } },
          ...(kind === 'PodMonitor' ? { podMetricsEndpoints: [endpoint] } : { endpoints: [endpoint] }),
        },
      },
    ),
  ];
}
