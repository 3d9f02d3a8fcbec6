// What is shipped of this folder: dashboards and rules for manifests/ and for the chart. scripts/generate.ts writes it.
import { makeDashboards } from './dashboards/dashboards.ts';
import { makePrometheusRule, makeRuleGroups } from './rules/files.ts';
import { makePlaceholders, makeSettings } from './rules/settings.ts';

const WRITTEN = 'Written by `npm run generate`.';

/** @param toYaml with comment lines above. @returns path from the repository's root → text */
export function makeMonitoringFiles(toYaml: (object: object, header?: string) => string): Record<string, string> {
  const boards = Object.entries(makeDashboards()).map(
    ([name, board]) => [`${name}.json`, `${JSON.stringify(board, null, 2)}\n`] as const,
  );
  const settings = makeSettings();
  return {
    ...Object.fromEntries(boards.map(([file, text]) => [`manifests/dashboards/${file}`, text])),
    ...Object.fromEntries(boards.map(([file, text]) => [`charts/webapp-operator/files/dashboards/${file}`, text])),
    'manifests/prometheus-rules.yaml': toYaml(
      { groups: makeRuleGroups(settings) },
      `${WRITTEN} For Prometheus: name it under rule_files.`,
    ),
    'manifests/alerts.yaml': toYaml(
      makePrometheusRule(settings),
      `${WRITTEN} The same for the Prometheus operator: kubectl apply -n NAMESPACE -f alerts.yaml`,
    ),
    'charts/webapp-operator/files/rules.yaml': toYaml({ groups: makeRuleGroups(makePlaceholders()) }, WRITTEN),
  };
}
