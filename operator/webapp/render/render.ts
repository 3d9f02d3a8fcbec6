// A WebApp as Kubernetes objects: pure renderers, one file per kind, put together here. Every object has its labels, its namespace and the
// WebApp as its controller; no null, no empty list. Nothing here looks at what is live.

export { renderBase } from './base.ts';
export { renderProxyConfigMap, renderWorkerConfigMap } from './config-maps.ts';
export { renderProxyDeployment, renderWorkerDeployment } from './deployments.ts';
export { certificateSecretOf } from './edge.ts';
export type { PodTemplate, RenderInput, StaticVersion } from './input.ts';
export { proxyInputs, workerInputs } from './inputs.ts';
export { migrationKey, renderMigrateJob } from './migrate-job.ts';
export { proxyConfigOf } from './proxy-config.ts';
export { referencesOf } from './references.ts';
export { makeProxyRevision, makeWorkerRevision, renderControllerRevision } from './revisions.ts';
export { staticVersionOf } from './statics.ts';
export { urlOf } from './url.ts';
export { workerConfigFor, workerConfigOf } from './worker-config.ts';
