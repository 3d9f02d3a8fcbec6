// Problems that are not in pods: references, optional APIs, the migration, Deployments, and what the workers report.

import type { WebAppSpec } from '../../../../core/app/schema.ts';
import { DEATH_MENDS } from '../../../../core/status/death-causes.ts';
import { TROUBLES } from '../../../../core/status/troubles.ts';
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import type { OptionalKind } from '../../kinds.ts';
import type { Component } from '../../names.ts';
import type { PodReport, ProxyReport, Reference, WorkerReport } from '../../observed.ts';
import { lastLines } from '../bounded-text.ts';
import { isLate, type LiveDeployment } from '../live-deployment.ts';
import type { Migration } from '../migration.ts';
import type { Found } from './degraded.ts';
import { podsOf, resourcesField, templateField } from './fields-of-pods.ts';
import { readPodRefusal, withoutPodName } from './refusals.ts';

/** @param before problems told last of the same spec: what was not heard of again is not over */
export function referenceProblems(references: readonly Reference[], before: readonly StatusProblem[]): Found[] {
  return references.flatMap((reference): Found[] => {
    const { field, state } = reference;
    const type = 'ReferenceMissing';
    if (state === 'unknown')
      return before.filter((told) => told.type === type && told.field === field).map((told) => ({ ...told, type }));
    const words = referenceWords(reference);
    return words ? [{ type, field, ...words }] : [];
  });
}

function referenceWords(reference: Reference): Pick<Found, 'message' | 'mend'> | undefined {
  const { kind, name, state, missingKeys, message = '' } = reference;
  if (state === 'missing') {
    const make = `kubectl create ${kind === 'Secret' ? 'secret generic' : 'configmap'} ${name}`;
    return { message: `There is no ${kind} ${name}.`, mend: `make it (${make} …), or correct the name` };
  }
  if (state === 'forbidden') {
    const mend = `give the operator’s service account get and watch on ${kind}s of this namespace`;
    return { message: `The operator may not read ${kind} ${name}: ${message}`, mend };
  }
  if (missingKeys.length === 0) return undefined;
  const mend = `add it to ${kind} ${name}, or correct the key`;
  return { message: `${kind} ${name} has no key ${missingKeys.join(', ')}.`, mend };
}

interface AskedFor {
  readonly kind: OptionalKind;
  readonly field: string;
  readonly isAsked: (spec: WebAppSpec) => boolean;
  readonly mend: string;
}

const OPTIONAL: readonly AskedFor[] = [
  {
    kind: 'HTTPRoute',
    field: 'spec.proxy.expose',
    isAsked: ({ proxy }) => proxy.expose.type === 'HTTPRoute',
    mend: 'install the Gateway API (v1) and a controller for it, or use type Ingress',
  },
  {
    kind: 'Certificate',
    field: 'spec.proxy.tls.issuerRef',
    isAsked: ({ proxy }) => proxy.tls?.issuerRef !== undefined,
    mend: 'install cert-manager, or name a Secret with a certificate in spec.proxy.tls.secretName',
  },
  {
    kind: 'ServiceMonitor',
    field: 'spec.monitoring.serviceMonitor',
    isAsked: ({ monitoring }) => monitoring.serviceMonitor,
    mend: 'install the Prometheus operator, or set it to false: pods carry the prometheus.io annotations in any case',
  },
  {
    kind: 'PodMonitor',
    field: 'spec.monitoring.podMonitor',
    isAsked: ({ monitoring }) => monitoring.podMonitor,
    mend: 'install the Prometheus operator, or set it to false: pods carry the prometheus.io annotations in any case',
  },
];

export function apiProblems(spec: WebAppSpec, apis: ReadonlySet<OptionalKind>): Found[] {
  return OPTIONAL.filter(({ kind, isAsked }) => isAsked(spec) && !apis.has(kind)).map(({ kind, field, mend }) => ({
    type: 'ApiMissing',
    field,
    message: `The cluster has no API for a ${kind}.`,
    mend,
  }));
}

export function migrationProblems({ state, reason = '', output, job }: Migration): Found[] {
  if (state !== 'failed') return [];
  const name = job?.metadata.name ?? '';
  return [
    {
      type: 'MigrationFailed',
      field: 'spec.migrate',
      message: `The migration failed: ${reason || 'its Job has failed'}${output === undefined ? '' : `\n${output}`}`,
      mend: `mend it and name a new image or command; to run it once more as it is: kubectl delete job ${name}`,
    },
  ];
}

/**
 * @param causes problems of the pods of this component: when one is known, being late is no problem of its own
 * @param deadline spec.rollout.progressDeadline
 */
export function deploymentProblems(
  component: Component,
  live: LiveDeployment | undefined,
  causes: readonly Found[],
  deadline: string,
): Found[] {
  if (live === undefined || !live.observed) return [];
  if (live.refusal !== undefined) {
    const message = withoutPodName(live.refusal);
    const told = readPodRefusal(message, templateField(component), resourcesField(component));
    return [{ ...told, message: `The API server does not take ${podsOf(component)}: ${message}` }];
  }
  if (!isLate(live) || causes.length > 0) return [];
  const worker = component === 'worker';
  return [
    {
      type: 'NotReady',
      field: worker ? 'spec.health' : 'spec.rollout.progressDeadline',
      message: `New ${podsOf(component)} run, but were not ready within ${deadline}.`,
      mend: worker
        ? 'see why the application is not ready (kubectl logs, spec.health.path), or raise spec.rollout.progressDeadline'
        : 'see the log of the proxy pods, or raise it',
    },
  ];
}

/** From what pods tell of themselves: a refused document, and processes that do not come up. A death that was got over is none. */
export function reportProblems(reports: readonly WorkerReport[], proxyReports: readonly ProxyReport[]): Found[] {
  const booting = reports.find(isBootFailing);
  const refused = [reports, proxyReports].flatMap(
    (ofComponent) => ofComponent.find(({ status }) => status.config.error !== undefined) ?? [],
  );
  return [...refused.map(configRefused), ...(booting ? [bootFailed(booting)] : [])];
}

const DOES_NOT_START = 'A process of the application does not start:';

/** Of `before`, what only pods can have told: it holds while they are being asked anew. */
export function toldByPods(before: readonly StatusProblem[]): StatusProblem[] {
  return before.filter(({ type, message }) => type === 'ConfigRefused' || message.startsWith(DOES_NOT_START));
}

function isBootFailing({ status: { processes, deaths } }: WorkerReport): boolean {
  const cause = deaths[0]?.cause;
  return processes.ready < processes.desired && (cause === 'boot' || cause === 'boot-timeout');
}

function configRefused({ component, status }: PodReport): Found {
  return {
    type: 'ConfigRefused',
    field: component === 'worker' ? 'spec.workers' : 'spec.proxy',
    message: `${TROUBLES.refused.words} It is a ${component}: ${status.config.error ?? ''}`,
    mend: `use the versions of operator and ${component} image that belong together, or change the field that it names`,
  };
}

function bootFailed({ status: { deaths } }: WorkerReport): Found {
  const death = deaths[0];
  const words = death?.traceback ?? death?.message ?? '';
  return {
    type: 'Crashing',
    field: 'spec.app',
    message: `${DOES_NOT_START}\n${lastLines(words, 12, 1_500)}`,
    mend: DEATH_MENDS.boot.mend,
  };
}
