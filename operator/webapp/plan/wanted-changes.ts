// From decisions to changes, in the order in which they may be seen by others: what pods use is there before the pods, what is not used any more goes last.
import type { WorkerConfig } from '../../../core/config/worker.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Change } from '../changes.ts';
import { names } from '../names.ts';
import type { Pod } from '../observed.ts';
import {
  renderBase,
  renderControllerRevision,
  renderProxyConfigMap,
  renderProxyDeployment,
  renderWorkerConfigMap,
  renderWorkerDeployment,
  workerConfigFor,
} from '../render/render.ts';
import type { Revision } from '../revision.ts';
import { type ChildKey, dropUnwanted, ensure, keyOfChild } from './children.ts';
import type { Decision } from './decide.ts';
import { writeMigrated } from './live-deployment.ts';
import { type ConfigHashes, planRefreshes } from './refresh.ts';
import { findVersion, pickKept, type Versions } from './versions.ts';
import type { World } from './world.ts';

export interface CurrentConfig {
  readonly revision: Revision;
  readonly config: WorkerConfig;
}

/** @returns worker.json for each version that runs or is about to: what changes in place reaches the old pods of a rollout too */
export function currentConfigs(world: World, { deployed, workerConfig }: Decision): CurrentConfig[] {
  const ids = new Set(usedIds(world));
  const stored = world.workerVersions.flatMap(({ revision }) => (ids.has(revision.id) ? [revision] : []));
  const isNew = deployed !== undefined && !stored.some(({ id }) => id === deployed.id);
  return [...(isNew ? [deployed] : []), ...stored].map((revision) => ({
    revision,
    config: workerConfigFor(workerConfig, revision, world.input),
  }));
}

export interface WantedChanges {
  readonly changes: readonly Change[];
  /** When time alone will want more, in milliseconds since the epoch. */
  readonly nextAt: number | undefined;
}

/**
 * @param lastGood id of the last whole version, as this pass sees it
 * @param wall milliseconds since the epoch
 */
export function wantedChanges(
  world: World,
  decision: Decision,
  configs: readonly CurrentConfig[],
  lastGood: string | undefined,
  wall: number,
): WantedChanges {
  const { children, webApp, input } = world;
  const keptWorkers = keepWorkers(world, decision, lastGood);
  const keptProxies = keepProxies(world, decision);
  const wanted = [
    ...renderBase(input),
    ...revisionObjects(world, keptWorkers, decision.deployed),
    ...revisionObjects(world, keptProxies, decision.proxy),
    ...configs.map(({ revision, config }) => renderWorkerConfigMap(webApp, revision, config)),
    ...(decision.proxyConfig ? [renderProxyConfigMap(webApp, decision.proxyConfig)] : []),
    ...(isMigrationDue(decision) && decision.migration.job ? [decision.migration.job] : []),
    ...(decision.proxy ? [renderProxyDeployment(webApp, decision.proxy)] : []),
  ];
  const keys = new Set([...wanted.map(keyOfChild), ...leftAlone(world, decision, keptWorkers)]);
  const refreshes = planRefreshes(world.livePods, world.observed.reports, hashesBy(world, decision, configs), wall);
  const changes = [
    ...wanted.flatMap((object) => ensure(children, object)),
    ...workerDeployment(world, decision),
    ...refreshes.changes,
    ...dropUnwanted(children, keys, input.apis),
  ];
  return { changes, nextAt: refreshes.nextAt };
}

/** What stays although it is not applied in this pass. */
function leftAlone(world: World, { migration }: Decision, keptWorkers: Versions): ChildKey[] {
  const { name } = world.webApp.metadata;
  const ids = [...keptWorkers.map(({ revision }) => revision.id), ...usedIds(world)];
  return [
    ...ids.map((id): ChildKey => `ConfigMap/${names.workerConfig(name, id)}`),
    ...migration.kept,
    `ConfigMap/${names.proxyConfig(name)}`,
    `Deployment/${names.worker(name)}`,
    `Deployment/${names.proxy(name)}`,
  ];
}

/** Made only when its gate is the one that holds: before that, what it needs is not there. */
function isMigrationDue({ hold, migration }: Decision): boolean {
  return hold?.gate === 'migration' && migration.state === 'due';
}

/** All proxies have one document, whatever their version; a worker's has what belongs to its version in it. */
function hashesBy(
  { proxyVersions }: World,
  { proxy, proxyConfig }: Decision,
  configs: readonly CurrentConfig[],
): (pod: Pod) => ConfigHashes | undefined {
  const workers = new Map(
    configs.map(({ revision, config }) => [revision.id, { wanted: config.hash, first: revision.configHash }]),
  );
  return ({ component, revision }) => {
    if (component === 'worker') return workers.get(revision);
    if (component !== 'proxy' || proxyConfig === undefined) return undefined;
    const version = proxy?.id === revision ? proxy : findVersion(proxyVersions, revision);
    return { wanted: proxyConfig.hash, first: version?.configHash ?? '' };
  };
}

/** A pod keeps its files until it is gone, also while it is being deleted. */
function usedIds({ worker, pods }: World): string[] {
  const ended = (phase: string) => phase === 'Succeeded' || phase === 'Failed';
  const ofPods = pods.filter(({ component, phase }) => component === 'worker' && !ended(phase));
  return [...(worker ? [worker.revision] : []), ...ofPods.map(({ revision }) => revision)].filter((id) => id !== '');
}

function keepWorkers(world: World, decision: Decision, lastGood: string | undefined): Versions {
  const { workerVersions, webApp, before } = world;
  const { deployed, target, statics } = decision;
  const ofImage = (image: string) => workerVersions.find(({ revision }) => revision.image === image)?.revision.id;
  const ids = [deployed?.id, target?.id, lastGood, before?.revision, ...statics.map(({ image }) => ofImage(image))];
  const inUse = new Set([...usedIds(world), ...ids.filter((id) => id !== undefined)]);
  return pickKept(workerVersions, inUse, webApp.spec.rollout.keepRevisions);
}

function keepProxies({ proxyVersions, proxy, pods, webApp }: World, decision: Decision): Versions {
  const inUse = [decision.proxy?.id, proxy?.revision, ...pods.map(({ revision }) => revision)];
  return pickKept(proxyVersions, new Set(inUse.filter((id) => id !== undefined)), webApp.spec.rollout.keepRevisions);
}

/** @param current may be new, or the newest once more */
function revisionObjects({ webApp }: World, kept: Versions, current: Revision | undefined): KubeObject[] {
  const stored = kept.map(({ revision, object }) => {
    const number = revision.id === current?.id ? current.number : revision.number;
    // What is immutable stays as it is there, by whichever operator it was written; so there is no need to render it.
    const rendered = renderControllerRevision(webApp, { ...revision, number, template: {} });
    return { ...rendered, data: object['data'] };
  });
  if (current === undefined || findVersion(kept, current.id)) return stored;
  return [...stored, renderControllerRevision(webApp, current)];
}

/** An autoscaler's number is held by another manager before the apply that leaves it out. */
function workerDeployment({ children, webApp, worker }: World, decision: Decision): Change[] {
  const { deployed, migration, replicas } = decision;
  if (deployed === undefined || worker?.leaving === true) return [];
  const done = migration.state === 'complete' ? migration.key : undefined;
  const migrated = writeMigrated(worker?.migrated ?? [], done);
  const object = renderWorkerDeployment(webApp, deployed, { replicas: replicas.replicas, migrated });
  const changes = ensure(children, object);
  return replicas.handOver === undefined ? changes : [handOver(object, replicas.handOver), ...changes];
}

function handOver({ apiVersion, kind, metadata: { name, namespace } }: KubeObject, replicas: number): Change {
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  return {
    verb: 'handOver',
    object: { apiVersion, kind, metadata, spec: { replicas } },
    why: 'an autoscaler sets replicas from now on',
  };
}
