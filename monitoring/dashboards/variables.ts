// What a person chooses at the top of a dashboard, and how expressions refer to it.
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { View } from '../measures.ts';
import { labelValues } from '../promql.ts';

export const SOURCE: DataSourceRef = { type: 'prometheus', uid: `\${datasource}` };

/** Grafana's: wide enough for four scrapes. */
const WINDOW = '$__rate_interval';
/** Matches series without the label too. */
const ALL = '.*';

const NAMESPACE = { variable: 'namespace' } as const;
const WEBAPP = { variable: 'webapp' } as const;

/** Of the WebApp that was chosen. */
export const CHOSEN: View = { where: { namespace: NAMESPACE, webapp: WEBAPP }, window: WINDOW, by: [] };
/** Of all WebApps of the namespaces that were chosen, one by one. */
export const EACH: View = { where: { namespace: NAMESPACE }, window: WINDOW, by: ['namespace', 'webapp'] };
export const RATE_WINDOW = WINDOW;

export function sourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus');
}

export function namespaceVariable(): QueryVariableBuilder {
  return choice('namespace', 'Namespace', labelValues('webapp_proxy_requests_total', 'namespace')).multi(true);
}

export function webappVariable(): QueryVariableBuilder {
  return choice(
    'webapp',
    'WebApp',
    labelValues('webapp_proxy_requests_total', 'webapp', { namespace: NAMESPACE }),
  ).multi(false);
}

function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .includeAll(true)
    .allValue(ALL);
}
