// What the API server refused, as problems of the WebApp: its own words, and the field of the spec that they are about as far as it can be told.
import type { DegradedReason } from '../../../core/app/conditions.ts';
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import type { Change, Failure } from '../changes.ts';
import { LABEL } from '../names.ts';
import { judgeDegraded, makeCondition } from './conditions.ts';
import { arrange, type Found } from './problems/degraded.ts';
import { isQuota } from './problems/refusals.ts';
import { stateOf } from './status.ts';

/** Pure: `status` with what the API server refused as problems and conditions; unchanged when nothing failed. @param before the status written last, for transition times */
export function withFailures(
  status: WebAppStatus,
  failures: readonly Failure[],
  before: WebAppStatus | undefined,
  wall: number,
): WebAppStatus {
  if (failures.length === 0) return status;
  const problems = arrange([...failures.map(problemOf), ...(status.problems ?? [])]);
  const moment = { before: before?.conditions, generation: status.observedGeneration ?? 0, wall };
  const degraded = makeCondition(judgeDegraded(problems), moment);
  const conditions = (status.conditions ?? []).map((condition) =>
    condition.type === 'Degraded' ? degraded : condition,
  );
  return { ...status, state: stateOf(conditions), conditions, problems };
}

function problemOf({ change, type, message }: Failure): Found {
  const subject = subjectOf(change);
  if (type === 'taken') {
    return {
      type: 'NameTaken',
      field: 'metadata.name',
      message,
      mend: 'delete or rename that object, or give the WebApp another name',
    };
  }
  const field = fieldOf(subject, message);
  return { ...judgeRefusal(message, field), field, message: `${subject.kind} ${subject.name}: ${message}` };
}

function judgeRefusal(message: string, field: string): { type: DegradedReason; mend: string } {
  if (isQuota(message)) return { type: 'QuotaExceeded', mend: 'ask for less, or raise the quota or limit range' };
  if (/cannot \w+ resource|attempting to grant RBAC permissions/i.test(message))
    return {
      type: 'Refused',
      mend: 'give the operator’s service account this right: apply its manifests of this version',
    };
  if (/admission webhook|ValidatingAdmissionPolicy/i.test(message))
    return {
      type: 'Refused',
      mend: `satisfy the cluster’s policy that it names, at ${field} or elsewhere in the spec`,
    };
  if (/too large|too long|must have at most/i.test(message)) return { type: 'Refused', mend: `make ${field} smaller` };
  return { type: 'Refused', mend: `correct ${field}: the next change of the spec is tried at once` };
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly component: string | undefined;
}

function subjectOf(change: Change): Subject {
  switch (change.verb) {
    case 'apply':
    case 'handOver': {
      const { kind, metadata } = change.object;
      return { kind, name: metadata.name, component: metadata.labels?.[LABEL.component] };
    }
    case 'delete':
      return { kind: change.kind, name: change.seen.name, component: undefined };
    case 'refresh':
      return { kind: 'Pod', name: change.pod.name, component: undefined };
  }
}

/** Fields of the spec that a part of a pod template is made from; what is not listed can only come from podTemplate. */
const TEMPLATE_PARTS: readonly (readonly [RegExp, string])[] = [
  [/\.resources\b|\.requests\b|\.limits\b/, 'resources'],
  [/serviceAccount/, 'serviceAccountName'],
  [/imagePullSecrets/, 'imagePullSecrets'],
  [/containers\[\d+\]\.env\b/, 'env'],
  [/volume/i, 'volumes'],
];

const FIELDS: Readonly<Record<string, string>> = {
  Service: 'spec.proxy.expose',
  NetworkPolicy: 'spec.access.from',
  HorizontalPodAutoscaler: 'spec.autoscaling',
  ServiceMonitor: 'spec.monitoring',
  PodMonitor: 'spec.monitoring',
  Certificate: 'spec.proxy.tls',
};

function fieldOf({ kind, component }: Subject, message: string): string {
  const proxy = component === 'proxy' ? 'proxy.' : '';
  switch (kind) {
    case 'Deployment':
    case 'Job': {
      const part = TEMPLATE_PARTS.find(([pattern]) => pattern.test(message))?.[1] ?? 'podTemplate';
      return proxy !== '' && !['resources', 'podTemplate'].includes(part)
        ? 'spec.proxy.podTemplate'
        : `spec.${proxy}${part}`;
    }
    case 'ControllerRevision':
      return `spec.${proxy}podTemplate`;
    case 'Ingress':
    case 'HTTPRoute':
      return /\bhosts?(names)?\b/i.test(message) ? 'spec.proxy.hosts' : 'spec.proxy.expose';
    default:
      return FIELDS[kind] ?? 'spec';
  }
}
