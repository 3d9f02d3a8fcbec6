// Carries a plan's changes out, in order, and tells what was refused.
import type { Client } from '../../kube/client.ts';
import { isConflict, isInvalid, isNamespaceEnding, isNotFound, isRefusal, KubeError } from '../../kube/errors.ts';
import { controllerOf, type KubeObject, keyOf, type Resource } from '../../kube/object.ts';
import { putWhole } from '../../kube/put-whole.ts';
import type { Change, Failure } from './changes.ts';
import { type ChildKind, KINDS, POD, WEBAPP } from './kinds.ts';
import { ANNOTATION, HAND_OVER_MANAGER, LABEL, MANAGED_BY } from './names.ts';
import type { LiveWebApp } from './observed.ts';
import { writeTold } from './pod.ts';

/** Told of every write, so that the stores read what was written. */
export interface WriteListener {
  /** Sends a write, and inside `write` tells what it brought: what the watch says of the object meanwhile is no news. */
  whileWriting<R>(kind: string, key: string, write: () => Promise<R>): Promise<R>;
  wrote(object: KubeObject): void;
  removed(kind: string, key: string, uid: string): void;
}

/** Writes of one WebApp at a time. A new WebApp is quick, and one alone does not fill the transport's connections. */
const SIDE_BY_SIDE = 6;

interface Context {
  readonly client: Client;
  readonly webApp: LiveWebApp;
  readonly listener: WriteListener;
  readonly signal: AbortSignal;
}

/** What became of a change that did not succeed: refused for good, or to be tried again. */
type Fault = { readonly change: Change } & ({ readonly failure: Failure } | { readonly error: unknown });

/**
 * An object that was not seen live is made only if there is none of its name: one that another controls, or that nobody marked as this WebApp's, is
 * not touched (failure `taken`). Independent applies go side by side within bounds. What would be built on a part that failed waits: a Deployment for the ConfigMaps and
 * revisions of its component, a refresh for the ConfigMaps, everything for a hand-over.
 * @returns what the API server refused. @throws KubeError for what trying again may heal (network, 409, 429, 5xx), after all changes were tried
 */
export async function applyChanges(
  client: Client,
  webApp: LiveWebApp,
  changes: readonly Change[],
  listener: WriteListener,
  signal: AbortSignal,
): Promise<Failure[]> {
  const context: Context = { client, webApp, listener, signal };
  const faults: Fault[] = [];
  for (const stage of stagesOf(changes)) {
    if (faults.some(({ change }) => change.verb === 'handOver')) break;
    const ready = stage.filter((change) => !waitsFor(change, faults));
    faults.push(...(await carryOutAll(context, ready)));
  }
  if (faults.some(mayBeGone) && (await isGone(context))) return [];
  const retried = faults.find((fault) => 'error' in fault);
  if (retried) throw retried.error;
  return faults.flatMap((fault) => ('failure' in fault ? [fault.failure] : []));
}

/** Changes that may go side by side, in the order of the stages; inside one, in the order of the plan. */
function stagesOf(changes: readonly Change[]): Change[][] {
  const stages: Change[][] = [[], [], [], []];
  for (const change of changes) stages[stageOf(change)]?.push(change);
  return stages;
}

const APPLY_STAGE: Readonly<Record<string, number>> = {
  // The API server looks into the Role, whether we have what it gives: 404 while there is none.
  RoleBinding: 1,
  // One that is there before the hand-over may be overwritten by it.
  HorizontalPodAutoscaler: 2,
  Deployment: 2,
  Job: 2,
};

function stageOf(change: Change): number {
  switch (change.verb) {
    case 'apply':
      return APPLY_STAGE[change.object.kind] ?? 0;
    case 'handOver':
      return 1;
    case 'refresh':
      return 2;
    case 'delete':
      // An autoscaler goes before its Deployment gets replicas from the spec again; all else goes when its successors are there.
      return change.kind === 'HorizontalPodAutoscaler' ? 1 : 3;
  }
}

/** A kubelet told to refresh before the ConfigMap is written would not be told again; pods without their ConfigMap do not start. */
function waitsFor(change: Change, faults: readonly Fault[]): boolean {
  const failed = faults.flatMap((fault) => (fault.change.verb === 'apply' ? [fault.change.object] : []));
  if (change.verb === 'refresh') return failed.some(({ kind }) => kind === 'ConfigMap');
  if (change.verb !== 'apply') return false;
  if (change.object.kind === 'RoleBinding') return failed.some(({ kind }) => kind === 'Role');
  if (change.object.kind !== 'Deployment') return false;
  const component = change.object.metadata.labels?.[LABEL.component];
  return failed.some(
    ({ kind, metadata }) =>
      (kind === 'ConfigMap' || kind === 'ControllerRevision') && metadata.labels?.[LABEL.component] === component,
  );
}

async function carryOutAll(context: Context, changes: readonly Change[]): Promise<Fault[]> {
  const faults: Fault[] = [];
  const rest = changes[Symbol.iterator]();
  const lane = async () => {
    for (const change of rest) {
      const fault = await carryOut(context, change);
      if (fault) faults.push(fault);
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, changes.length) }, lane));
  return faults;
}

async function carryOut(context: Context, change: Change): Promise<Fault | undefined> {
  try {
    // Whoever lost the lead must not write on.
    if (context.signal.aborted) throw new KubeError('CLOSED', 'stopped before all changes were made');
    const { kind, key } = subjectOf(change);
    const taken = await context.listener.whileWriting(kind, key, () => perform(context, change));
    return taken === undefined ? undefined : { change, failure: { change, type: 'taken', message: taken } };
  } catch (error) {
    if (isNamespaceEnding(error)) return undefined; // and nobody wants to hear of it
    if (isRefusal(error)) return { change, failure: { change, type: 'refused', message: (error as Error).message } };
    return { change, error };
  }
}

function subjectOf(change: Change): { kind: string; key: string } {
  switch (change.verb) {
    case 'apply':
    case 'handOver':
      return { kind: change.object.kind, key: keyOf(change.object) };
    case 'refresh':
      return { kind: POD.kind, key: keyOf({ metadata: change.pod }) };
    case 'delete':
      return { kind: change.kind, key: keyOf({ metadata: change.seen }) };
  }
}

/** @returns who has the name, when it is another */
async function perform(context: Context, change: Change): Promise<string | undefined> {
  const { client, listener } = context;
  switch (change.verb) {
    case 'apply':
      if (change.create) return applyNew(context, change.object);
      listener.wrote(await applyOver(client, change.object));
      return;
    case 'handOver':
      listener.wrote(await client.apply(resourceOf(change.object), change.object, { fieldManager: HAND_OVER_MANAGER }));
      return;
    case 'refresh':
      return refresh(context, change);
    case 'delete':
      return remove(context, change);
  }
}

/**
 * A resourceVersion that no object has. Apply with it makes an object; to one that is there the API server answers 409, as to any version that is not
 * the present one.
 */
const ABSENT = '1';

/** An object that was not seen: most likely there is none. @returns who has the name, when it is another */
async function applyNew(context: Context, object: KubeObject): Promise<string | undefined> {
  const { client, listener } = context;
  const resource = resourceOf(object);
  try {
    const fresh = { ...object, metadata: { ...object.metadata, resourceVersion: ABSENT } };
    listener.wrote(await client.apply(resource, fresh));
    return;
  } catch (error) {
    // 404: an API server that finds a version without an object strange (none that we know does).
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
  const taken = await ownerOfName(context, object);
  if (taken === undefined) listener.wrote(await client.apply(resource, object));
  return taken;
}

async function applyOver(client: Client, object: KubeObject): Promise<KubeObject> {
  const resource = resourceOf(object);
  try {
    return await client.apply(resource, object);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return putWhole(client, resource, object);
  }
}

async function refresh(
  { client, listener }: Context,
  { pod: { namespace, name }, told }: Change & { verb: 'refresh' },
): Promise<undefined> {
  const metadata = { annotations: { [ANNOTATION.config]: told.hash, [ANNOTATION.configTold]: writeTold(told) } };
  try {
    listener.wrote(await client.patch(POD, { namespace, name }, { metadata }));
  } catch (error) {
    if (!isNotFound(error)) throw error; // names of a Deployment's pods are not used again
  }
}

async function remove({ client, listener }: Context, { kind, seen }: Change & { verb: 'delete' }): Promise<undefined> {
  try {
    await client.remove(KINDS[kind], seen);
    if (seen.uid !== undefined) listener.removed(kind, keyOf({ metadata: seen }), seen.uid);
  } catch (error) {
    if (!isConflict(error)) throw error; // it is not what was seen any more: the next pass decides anew
  }
}

function resourceOf(object: KubeObject): Resource {
  const resource = KINDS[object.kind as ChildKind] as Resource | undefined;
  if (!resource) throw new Error(`the plan has a ${object.kind}, which kinds.ts does not name`);
  return resource;
}

/**
 * @returns undefined when the name is free or ours, else who has it, for people
 * @throws KubeError (409) when it will be free soon
 */
async function ownerOfName({ client, webApp }: Context, wanted: KubeObject): Promise<string | undefined> {
  const { namespace, name } = wanted.metadata;
  const found = await client.get(resourceOf(wanted), { namespace, name }, { cached: true }).catch((error: unknown) => {
    if (isNotFound(error)) return;
    throw error;
  });
  if (!found) return;
  const owner = controllerOf(found);
  const what = `${wanted.kind}/${name}`;
  // The garbage collector has yet to follow a WebApp that was deleted and made again.
  const predecessors =
    owner?.kind === WEBAPP.kind && owner.name === webApp.metadata.name && owner.uid !== webApp.metadata.uid;
  if (found.metadata.deletionTimestamp !== undefined || predecessors) {
    throw new KubeError('API', `${what} is still being deleted`, { status: 409, reason: 'Conflict' });
  }
  if (owner)
    return owner.uid === webApp.metadata.uid
      ? undefined
      : `${what} is there already and belongs to ${owner.kind}/${owner.name}`;
  const { labels = {} } = found.metadata;
  const marked = labels[LABEL.managedBy] === MANAGED_BY && labels[LABEL.webApp] === webApp.metadata.name;
  return marked ? undefined : `${what} is there already and was not made for this WebApp`;
}

/** What would be made for a WebApp that has gone, maybe with its namespace, is refused or answered 404. */
function mayBeGone(fault: Fault): boolean {
  return 'failure' in fault ? fault.failure.type === 'refused' : isNotFound(fault.error);
}

/** Whether the WebApp has gone, or is going, since it was observed: then nobody wants to hear of its children. */
async function isGone({ client, webApp }: Context): Promise<boolean> {
  const { namespace, name, uid } = webApp.metadata;
  try {
    const { metadata } = await client.get(WEBAPP, { namespace, name });
    return metadata.uid !== uid || metadata.deletionTimestamp !== undefined;
  } catch (error) {
    return isNotFound(error);
  }
}
