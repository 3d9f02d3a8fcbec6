// What worker and proxy pods have in common: ports, probes, spread over nodes, and time to leave.
import { type Component, LABEL, labels, PORT_NAME, selectorLabels } from '../names.ts';

/** Steps of the time to finish, seconds: a timeout that moves within a step changes in place, one that leaves it needs new pods. */
const GRACE_STEPS = [60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 90_000] as const;
/** What ending processes and closing connections takes besides, ms. */
const GRACE_SLACK_MS = 10_000;

/** @returns seconds that `ms` of finishing and a slack fit into, by steps: part of what a version is made from */
export function graceStep(ms: number): number {
  const seconds = Math.ceil((ms + GRACE_SLACK_MS) / 1000);
  return GRACE_STEPS.find((step) => step >= seconds) ?? seconds;
}

/** The drain delay is the installation's and not stepped: changed, it waits for the next version like all of the operator's own. */
export function gracePeriodSeconds(step: number, drainDelayMs: number): number {
  return step + Math.ceil(drainDelayMs / 1000);
}

export function podMetadata(
  webApp: string,
  component: 'worker' | 'proxy',
  made: { revision: string; adminPort: number; annotations: Readonly<Record<string, string>> },
) {
  return {
    labels: podLabels(webApp, component, made.revision),
    annotations: {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(made.adminPort),
      'prometheus.io/path': '/metrics',
      ...made.annotations,
    },
  };
}

/** Selectors live by these: they are laid over whatever a person's template says. */
export function podLabels(webApp: string, component: Component, revision: string): Record<string, string> {
  return { ...labels(webApp, component), [LABEL.revision]: revision };
}

export function portsOf(http: number, admin: number) {
  return [
    { name: PORT_NAME.http, containerPort: http, protocol: 'TCP' },
    { name: PORT_NAME.admin, containerPort: admin, protocol: 'TCP' },
  ];
}

/**
 * All on the admin port: an application that is busy is neither dead nor gone. Ready is asked every 2 s, since a new pod that nobody knows of
 * serves nobody. The startup probe keeps the liveness probe away from a program that is just being loaded; an application
 * that boots slowly is the business of readiness alone: the program lives meanwhile.
 */
export const PROBES = {
  startupProbe: { httpGet: { path: '/healthz', port: PORT_NAME.admin }, periodSeconds: 1, failureThreshold: 60 },
  readinessProbe: {
    httpGet: { path: '/readyz', port: PORT_NAME.admin },
    periodSeconds: 2,
    timeoutSeconds: 2,
    failureThreshold: 2,
  },
  livenessProbe: {
    httpGet: { path: '/healthz', port: PORT_NAME.admin },
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 6,
  },
} as const;

/** Over zones and nodes, each version for itself (matchLabelKeys), and never at the price of a pod that cannot start. */
export function spreadOf(webApp: string, component: Component) {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selectorLabels(webApp, component) },
    matchLabelKeys: ['pod-template-hash'],
  }));
}
