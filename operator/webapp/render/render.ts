// A WebApp as Kubernetes objects: pure renderers, one file per kind, put together here. Every object has its labels, its namespace and the
// WebApp as its controller; no null, no empty list. Nothing here looks at what is live.
import type { ProxyConfig } from '../../../core/config/proxy.ts';
import type { WorkerConfig } from '../../../core/config/worker.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Settings } from '../../settings.ts';
import type { OptionalKind } from '../kinds.ts';
import type { LiveWebApp, Reference } from '../observed.ts';
import type { Revision } from '../revision.ts';

export interface RenderInput {
  readonly webApp: LiveWebApp;
  readonly settings: Settings;
  /** Optional kinds that the cluster has; the others are not rendered, whatever the spec says. */
  readonly apis: ReadonlySet<OptionalKind>;
}

/** PodTemplateSpec, as JSON. */
export type PodTemplate = Readonly<Record<string, unknown>>;

/** An image whose static files the proxy serves. `key`: its folder's name, 10 hex digits over the image (its digest when it names one). */
export interface StaticVersion {
  readonly image: string;
  readonly key: string;
}

/** What the spec refers to, each object once, with the keys needed and the first field that names it; the plan asks for their state. */
export declare function referencesOf(webApp: LiveWebApp): Pick<Reference, 'kind' | 'name' | 'field' | 'keys'>[];

/** Everything that stands beside the Deployments and does not wait: accounts, Role and RoleBinding, Services, PDBs, NetworkPolicies, HPA (not while suspended), Ingress, HTTPRoute, Certificate, monitors. */
export declare function renderBase(input: RenderInput): KubeObject[];

/**
 * worker.json for a cluster: env only what must follow in-place changes (NODE_OPTIONS by memory limit and processes), `auto` resolved from the cpu limit
 * (else the request, else 1; two at least), maxMemory derived from the memory limit when the spec has none.
 */
export declare function workerConfigOf(input: RenderInput): WorkerConfig;
/** @returns `config` with what belongs to `revision` (app, runtime) laid over it, and its hash made anew */
export declare function workerConfigFor(config: WorkerConfig, revision: Revision): WorkerConfig;
export declare function proxyConfigOf(input: RenderInput, statics: readonly StaticVersion[]): ProxyConfig;

/** Hash over all of the spec (and the content referred to, and the restart annotation) that a worker pod's template is made from, and nothing that changes in place. Includes the renderers' version only with rollout.rollOnOperatorUpgrade. */
export declare function workerInputs(input: RenderInput, references: readonly Reference[]): string;
export declare function proxyInputs(input: RenderInput, statics: readonly StaticVersion[]): string;

/** @returns a new version, its template complete. `number`: one more than the highest there is */
export declare function makeWorkerRevision(
  input: RenderInput,
  made: { inputs: string; number: number; configHash: string },
): Revision;
export declare function makeProxyRevision(
  input: RenderInput,
  statics: readonly StaticVersion[],
  made: { inputs: string; number: number; configHash: string },
): Revision;
export declare function renderControllerRevision(webApp: LiveWebApp, revision: Revision): KubeObject;

export declare function renderWorkerConfigMap(webApp: LiveWebApp, revision: Revision, config: WorkerConfig): KubeObject;
export declare function renderProxyConfigMap(webApp: LiveWebApp, config: ProxyConfig): KubeObject;

/** @param replicas undefined: an autoscaler's. @param migrated key of the migration that this version stands on */
export declare function renderWorkerDeployment(
  webApp: LiveWebApp,
  revision: Revision,
  wanted: { replicas: number | undefined; migrated: string | undefined },
): KubeObject;
export declare function renderProxyDeployment(webApp: LiveWebApp, revision: Revision): KubeObject;

/** 10 hex digits over image and command; undefined: no migration is wanted. */
export declare function migrationKey(webApp: LiveWebApp): string | undefined;
export declare function renderMigrateJob(input: RenderInput, key: string): KubeObject;

/** In-cluster URL, or `https://HOST` of the first host when exposed. */
export declare function urlOf(webApp: LiveWebApp, settings: Settings): string;
