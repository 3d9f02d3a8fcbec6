// The two Deployments: a version's pod template, and how one takes the place of another.
import { parseDuration } from '../../../core/quantity.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { ANNOTATION, names, selectorLabels } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import type { Revision } from '../revision.ts';
import { makeChild } from './child.ts';

/** @param replicas undefined: an autoscaler's. @param migrated key of the migration that this version stands on */
export function renderWorkerDeployment(
  webApp: LiveWebApp,
  revision: Revision,
  { replicas, migrated }: { replicas: number | undefined; migrated: string | undefined },
): KubeObject {
  const name = names.worker(webApp.metadata.name);
  const annotations = {
    [ANNOTATION.replicasBy]: replicas === undefined ? 'autoscaler' : 'operator',
    ...(migrated !== undefined && { [ANNOTATION.migrated]: migrated }),
  };
  const spec = deploymentSpec(webApp, revision, replicas);
  return makeChild(webApp, 'Deployment', { name, component: 'worker', annotations }, { spec });
}

export function renderProxyDeployment(webApp: LiveWebApp, revision: Revision): KubeObject {
  const name = names.proxy(webApp.metadata.name);
  const spec = deploymentSpec(webApp, revision, webApp.spec.proxy.replicas);
  return makeChild(webApp, 'Deployment', { name, component: 'proxy' }, { spec });
}

function deploymentSpec({ metadata, spec }: LiveWebApp, revision: Revision, replicas: number | undefined): object {
  const { keepRevisions, maxSurge, progressDeadline } = spec.rollout;
  return {
    replicas,
    selector: { matchLabels: selectorLabels(metadata.name, revision.component) },
    // None is ever missing; the new stand beside the old.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge } },
    progressDeadlineSeconds: Math.ceil(parseDuration(progressDeadline) / 1000),
    revisionHistoryLimit: keepRevisions,
    template: revision.template,
  };
}
