// Everything that stands beside the Deployments and does not wait for a rollout.
import type { KubeObject } from '../../../kube/object.ts';
import { renderAccounts } from './accounts.ts';
import { renderAutoscaler } from './autoscaler.ts';
import { renderDisruptionBudgets } from './disruption-budgets.ts';
import { renderEdge } from './edge.ts';
import type { RenderInput } from './input.ts';
import { renderMonitors } from './monitors.ts';
import { renderNetworkPolicies } from './network-policies.ts';
import { renderServices } from './services.ts';

/** Accounts, Role and RoleBinding, Services, PDBs, NetworkPolicies, HPA (not while suspended), Ingress, HTTPRoute, Certificate, monitors. */
export function renderBase(input: RenderInput): KubeObject[] {
  const { webApp } = input;
  return [
    ...renderAccounts(webApp),
    ...renderNetworkPolicies(webApp),
    ...renderServices(webApp),
    ...renderDisruptionBudgets(webApp),
    ...renderAutoscaler(webApp),
    ...renderEdge(input),
    ...renderMonitors(input),
  ];
}
