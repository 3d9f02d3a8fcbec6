// The decisions of a pass, in order: which version is wanted, whether it may be rolled out, what the proxy serves meanwhile, how many pods.
import type { ProxyConfig } from '../../../core/config/proxy.ts';
import type { WorkerConfig } from '../../../core/config/worker.ts';
import { names } from '../names.ts';
import {
  makeProxyRevision,
  makeWorkerRevision,
  proxyConfigOf,
  proxyInputs,
  type StaticVersion,
  workerConfigOf,
  workerInputs,
} from '../render/render.ts';
import type { Revision } from '../revision.ts';
import { firstHold, type Hold, isLacking, isUnheard } from './gates.ts';
import { isRolledOut } from './live-deployment.ts';
import { judgeMigration, type Migration } from './migration.ts';
import { planReplicas, type Replicas } from './replicas.ts';
import { keepRestart } from './restart.ts';
import { pickStatics } from './statics.ts';
import { pickTarget } from './target.ts';
import { asNewest, findOrMake, findVersion, type Versions } from './versions.ts';
import type { World } from './world.ts';

export interface Decision {
  /** What the spec asks for; undefined: not known, because what it refers to is not there. */
  readonly wanted: Revision | undefined;
  readonly target: Revision | undefined;
  /** Id of `wanted`, when it failed and `target` is an earlier version. */
  readonly failed: string | undefined;
  readonly migration: Migration;
  readonly hold: Hold | undefined;
  /** Milliseconds since the epoch: what is held may go on by then, without anything being heard; undefined: nothing does so. */
  readonly holdEndsAt: number | undefined;
  /** What the worker Deployment is to have in this pass; undefined: it is left alone, or not made. */
  readonly deployed: Revision | undefined;
  readonly replicas: Replicas;
  /** worker.json as the spec has it now. */
  readonly workerConfig: WorkerConfig;
  readonly statics: readonly StaticVersion[];
  /** undefined: the document is left as it is. */
  readonly proxyConfig: ProxyConfig | undefined;
  /** What the proxy Deployment is to have; undefined: it is left alone. */
  readonly proxy: Revision | undefined;
}

/** @param wall milliseconds since the epoch */
export function decide(world: World, wall: number): Decision {
  const { input, webApp, before, worker, workerVersions, observed } = world;
  const { spec } = webApp;
  const workerConfig = workerConfigOf(input);
  const wanted = wantedVersion(world, workerConfig);
  const { target, failed } = pickTarget(wanted, worker, workerVersions, before, spec.rollout.autoRollback);
  const migration = judgeMigration(input, world.children, world.pods, worker?.migrated ?? []);
  const image = target?.image ?? spec.image;
  const prepared = planProxy(world, image);
  // What is put back has passed the gates once, and nobody waits for a proxy while a version fails.
  const goesBack = failed !== undefined && wanted !== undefined;
  // On the first rollout no proxy is there that lacks the files: none starts without them.
  const mayLackFiles = worker !== undefined && worker.revision !== target?.id && prepared.statics.length > 0;
  const leavingUntil = mayLackFiles ? othersLeaveBy(world, prepared, wall) : undefined;
  const proxyPrepared = !mayLackFiles || (leavingUntil === undefined && isWhole(world, prepared));
  const hold = goesBack ? undefined : firstHold({ references: observed.references, migration, target, proxyPrepared });
  const live = findVersion(workerVersions, worker?.revision);
  // A version that may not come yet must not put its files before those of the version that serves.
  const heldEarly = hold !== undefined && hold.gate !== 'statics';
  const proxy = heldEarly && live !== undefined && live.image !== image ? planProxy(world, live.image) : prepared;
  // Whose files go first depends on what was not heard of yet.
  const proxyStays = isUnheard(observed.references) && world.proxy !== undefined;
  return {
    wanted,
    target,
    failed,
    migration,
    hold,
    holdEndsAt: hold?.gate === 'statics' ? leavingUntil : undefined,
    deployed: hold === undefined && target !== undefined ? (takeUp(world, workerVersions, target) ?? live) : live,
    replicas: planReplicas(spec, worker),
    workerConfig,
    statics: proxy.statics,
    proxyConfig: proxyStays ? undefined : proxy.config,
    proxy: proxyStays ? undefined : takeUp(world, world.proxyVersions, proxy.version),
  };
}

function wantedVersion(world: World, config: WorkerConfig) {
  const { observed, workerVersions } = world;
  const { references } = observed;
  if (references.some(isLacking)) return undefined;
  const input = keepRestart(world.input, workerVersions);
  const inputs = workerInputs(input, references);
  return findOrMake(workerVersions, inputs, (number) =>
    makeWorkerRevision(input, { inputs, number, configHash: config.hash }),
  );
}

interface ProxyPlan {
  readonly statics: readonly StaticVersion[];
  readonly config: ProxyConfig;
  readonly version: Revision;
}

/** @param image of the worker's version whose static files go first */
function planProxy(world: World, image: string): ProxyPlan {
  const { webApp, workerVersions, proxyVersions } = world;
  const input = keepRestart(world.input, workerVersions);
  const { static: folders = [], keepRevisions } = webApp.spec.proxy;
  const deployed = workerVersions.map(({ revision }) => revision);
  const statics = folders.length === 0 ? [] : pickStatics(image, deployed, keepRevisions);
  const config = proxyConfigOf(input, statics);
  const inputs = proxyInputs(input, statics);
  const version = findOrMake(proxyVersions, inputs, (number) =>
    makeProxyRevision(input, statics, { inputs, number, configHash: config.hash }),
  );
  return { statics, config, version };
}

/** All proxy pods must have the new files before one worker names them in a page. */
function isWhole({ proxy }: World, { version }: ProxyPlan): boolean {
  return proxy !== undefined && proxy.revision === version.id && isRolledOut(proxy) && proxy.available >= proxy.desired;
}

/**
 * Proxy pods of other versions serve to the end of their drain, and answer for files that they lack with what an old worker says: 404.
 * @returns when the last of them is gone at the latest, milliseconds since the epoch; undefined: none is there. One whose time is over is
 * not waited for: its node may be dead.
 */
function othersLeaveBy({ pods }: World, { version }: ProxyPlan, wall: number): number | undefined {
  const ends = pods
    .filter(({ component, phase, revision }) => component === 'proxy' && !hasEnded(phase) && revision !== version.id)
    .map(({ metadata }) => Date.parse(metadata.deletionTimestamp ?? ''))
    .filter((end) => end > wall);
  return ends.length > 0 ? Math.max(...ends) : undefined;
}

const hasEnded = (phase: string): boolean => phase === 'Succeeded' || phase === 'Failed';

/** @returns `revision`, the newest from now on; undefined while its name is taken by one that was tampered with or is being deleted */
function takeUp({ children, webApp }: World, versions: Versions, revision: Revision): Revision | undefined {
  const name = names.revision(webApp.metadata.name, revision.component, revision.id);
  const stored = findVersion(versions, revision.id) !== undefined;
  return stored || children.get('ControllerRevision', name) === undefined ? asNewest(versions, revision) : undefined;
}
