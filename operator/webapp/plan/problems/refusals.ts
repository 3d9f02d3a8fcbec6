// What the API server has against pods or objects, in its own words. The only place that reads them: an admission refusal has no other sign of its cause.
import type { DegradedReason } from '../../../../core/app/conditions.ts';

const QUOTA =
  /exceeded quota|failed quota|(maximum|minimum) \S+ usage per|limit to request ratio|must specify (limits|requests)/i;

export function isQuota(message: string): boolean {
  return QUOTA.test(message);
}

/** Without the names of pods that were not made: each try has another. */
export function withoutPodName(message: string): string {
  return message.replace(/^pods "[^"]*" is forbidden: /, '').replace(/pods "[^"]*"/g, 'pods');
}

/** @returns what a message on pods that are not taken is about. @param template field of their pod template @param resources field of their resources */
export function readPodRefusal(
  message: string,
  template: string,
  resources: string,
): { type: DegradedReason; field: string; mend: string } {
  if (isQuota(message)) {
    const unset = /must specify/i.test(message);
    return {
      type: 'QuotaExceeded',
      field: resources,
      mend: unset
        ? 'set the requests and limits that it names'
        : 'ask for less, run fewer pods, or raise the quota or limit range',
    };
  }
  if (/service account/i.test(message)) {
    return {
      type: 'PodsRefused',
      field: 'spec.serviceAccountName',
      mend: 'make the ServiceAccount, or correct its name',
    };
  }
  if (/violates PodSecurity/i.test(message)) {
    return {
      type: 'PodsRefused',
      field: template,
      mend: 'take out of the pod template what the namespace’s pod security forbids',
    };
  }
  if (/admission webhook|failed calling webhook/i.test(message)) {
    return { type: 'PodsRefused', field: template, mend: 'satisfy or repair the admission webhook that it names' };
  }
  return { type: 'PodsRefused', field: template, mend: 'change what the API server has against the pods' };
}
