// What is kept of a pod: a twentieth of it, which is all that status and problems need. Pure.
import { GROUP } from '../../core/app/schema.ts';
import type { KubeObject, ObjectMeta } from '../../kube/object.ts';
import { ANNOTATION, type Component, LABEL } from './names.ts';
import type { ContainerState, Pod, Told } from './observed.ts';

const COMPONENTS: readonly string[] = ['worker', 'proxy', 'migrate'] satisfies Component[];

/** The kubelet gives 4 KiB at most; a traceback's end is what tells. */
const MAX_MESSAGE = 2_048;

interface RawContainer {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: RawState;
  readonly lastState?: RawState;
}

interface RawState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly message?: string };
}

interface RawStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly containerStatuses?: readonly RawContainer[];
  readonly initContainerStatuses?: readonly RawContainer[];
}

/** @param raw a Pod as the API server gives it */
export function keepPod(raw: unknown): Pod {
  const { metadata, status = {} } = raw as KubeObject & { status?: RawStatus };
  const { labels = {}, annotations = {} } = metadata;
  const told = readTold(annotations[ANNOTATION.config], annotations[ANNOTATION.configTold]);
  const unschedulable = status.conditions?.find(
    (condition) => condition.type === 'PodScheduled' && condition.reason === 'Unschedulable',
  );
  const component = labels[LABEL.component] ?? '';
  return {
    metadata: keepMeta(metadata),
    webApp: labels[`${GROUP}/webapp`] ?? '',
    component: (COMPONENTS.includes(component) ? component : 'worker') as Component,
    revision: labels[LABEL.revision] ?? '',
    ...(told && { told }),
    phase: status.phase ?? 'Unknown',
    ...(status.podIP !== undefined && { ip: status.podIP }),
    ready: status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    ...(unschedulable && { unschedulable: cut(unschedulable.message ?? '') }),
    containers: [
      ...(status.initContainerStatuses ?? []).map((container) => keepContainer(container, true)),
      ...(status.containerStatuses ?? []).map((container) => keepContainer(container, false)),
    ],
  };
}

/** @param when `2@2026-11-22T12:00:05.000Z`; what is not so written was not written by this version of the operator */
function readTold(hash: string | undefined, when = ''): Told | undefined {
  if (hash === undefined) return undefined;
  const [, times = '0', time = ''] = /^([1-9][0-9]{0,2})@(.{20,30})$/.exec(when) ?? [];
  const at = Date.parse(time);
  return Number.isNaN(at) ? { hash, times: 0, at: 0 } : { hash, times: Number(times), at };
}

export function writeTold({ times, at }: Pick<Told, 'times' | 'at'>): string {
  return `${times}@${new Date(at).toISOString()}`;
}

function keepMeta({ name, namespace = '', uid = '', resourceVersion, deletionTimestamp }: ObjectMeta): Pod['metadata'] {
  return {
    name,
    namespace,
    uid,
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
  };
}

function keepContainer(raw: RawContainer, init: boolean): ContainerState {
  const { waiting } = raw.state ?? {};
  const terminated = raw.state?.terminated ?? raw.lastState?.terminated;
  return {
    name: raw.name,
    init,
    ready: raw.ready ?? false,
    restarts: raw.restartCount ?? 0,
    ...(waiting && {
      waiting: {
        reason: waiting.reason ?? '',
        ...(waiting.message !== undefined && { message: cut(waiting.message) }),
      },
    }),
    ...(terminated && {
      terminated: {
        reason: terminated.reason ?? '',
        exitCode: terminated.exitCode ?? 0,
        ...(terminated.message !== undefined && { message: cut(terminated.message) }),
      },
    }),
  };
}

/** Keeps the end: what was said last. */
function cut(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `…${text.slice(-MAX_MESSAGE)}`;
}
