// The rules as files: for Prometheus itself, for the Prometheus operator, and for the chart.
import { makeAlerts } from './alerts.ts';
import { makeRecordings } from './recordings.ts';
import type { RuleGroup } from './rule.ts';
import type { RuleSettings } from './settings.ts';

/** Alerts come in a group of their own, evaluated beside the recordings they read: at the first evaluation they see the one before. */
export function makeRuleGroups(settings: RuleSettings): RuleGroup[] {
  return [
    { name: 'webapp-operator.recordings', rules: makeRecordings(settings) },
    { name: 'webapp-operator.alerts', rules: makeAlerts(settings) },
  ];
}

/** For the Prometheus operator. */
export function makePrometheusRule(settings: RuleSettings): object {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'webapp-operator', labels: { 'app.kubernetes.io/name': 'webapp-operator' } },
    spec: { groups: makeRuleGroups(settings) },
  };
}
