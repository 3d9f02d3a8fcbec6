// All dashboards, by the name of their file.
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { makeFleetBoard } from './fleet.ts';
import { makeOperatorBoard } from './operator.ts';
import { makeWebAppBoard } from './webapp.ts';

export function makeDashboards(): Record<'webapp' | 'fleet' | 'operator', Dashboard> {
  return { webapp: makeWebAppBoard(), fleet: makeFleetBoard(), operator: makeOperatorBoard() };
}
