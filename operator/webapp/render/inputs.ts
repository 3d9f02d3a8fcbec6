// What a version is made from, as one hash: a pod is replaced when it changes, and only then. Fields are named one by one: a field that a
// newer operator brings must not change the hash of a spec that does not use it (leave it out while it has its default).
import { resolveRuntime } from '../../../core/config/worker.ts';
import type { Reference } from '../observed.ts';
import { digest } from './canonical.ts';
import type { RenderInput, StaticVersion } from './input.ts';
import { proxyGraceStep, proxyTemplate } from './proxy-template.ts';
import { restartedAt } from './restart.ts';
import { staticFoldersOf } from './statics.ts';
import { workerGraceStep, workerTemplate } from './worker-template.ts';

/**
 * Hash over all of the spec (and the content referred to, and the restart annotation) that a worker pod's template is made from, and
 * nothing that changes in place. With rollout.rollOnOperatorUpgrade also over what this operator makes of it.
 * Not to be asked while the state of a reference is unknown: that is not another content.
 */
export function workerInputs(input: RenderInput, references: readonly Reference[]): string {
  const { spec } = input.webApp;
  return digest({
    image: spec.image,
    app: spec.app,
    runtime: resolveRuntime(spec.app, spec.runtime),
    resources: spec.resources,
    env: spec.env,
    envFrom: spec.envFrom,
    files: spec.files,
    volumes: spec.volumes,
    imagePullSecrets: spec.imagePullSecrets,
    serviceAccountName: spec.serviceAccountName,
    podTemplate: spec.podTemplate,
    graceStep: workerGraceStep(input.webApp),
    restartedAt: restartedAt(input.webApp.metadata.annotations),
    contents: contentsOf(references),
    ...(spec.rollout.rollOnOperatorUpgrade && { template: workerTemplate(input, '') }),
  });
}

/** The proxy's own image is the operator's, not the spec's. */
export function proxyInputs(input: RenderInput, statics: readonly StaticVersion[]): string {
  const { spec } = input.webApp;
  const folders = staticFoldersOf(input.webApp);
  return digest({
    resources: spec.proxy.resources,
    podTemplate: spec.proxy.podTemplate,
    graceStep: proxyGraceStep(input.webApp),
    restartedAt: restartedAt(input.webApp.metadata.annotations),
    ...(folders.length > 0 && statics.length > 0 && { folders, statics, imagePullSecrets: spec.imagePullSecrets }),
    ...(spec.rollout.rollOnOperatorUpgrade && { template: proxyTemplate(input, statics, '') }),
  });
}

/** By name: their order is that of the fields that name them. */
function contentsOf(references: readonly Reference[]): Record<string, string> {
  return Object.fromEntries(references.map(({ kind, name, hash }) => [`${kind}/${name}`, hash ?? '']));
}
