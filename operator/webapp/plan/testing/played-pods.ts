// How the pods of the fake cluster come and go, and what they say: by the name of their image.
import type { WorkerStatus } from '../../../../core/status/worker.ts';
import type { ContainerState, Pod } from '../../observed.ts';

export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly { readonly image: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly image: string }[];
    readonly volumes?: readonly { readonly configMap?: { readonly name: string } }[];
  };
}
/** An old pod only when enough serve without it. */
export function nextToLeave(own: readonly Pod[], isNew: (pod: Pod) => boolean, replicas: number): Pod | undefined {
  const old = own.filter((pod) => !isNew(pod));
  const spare = own.filter(({ ready }) => ready).length > replicas;
  if (old.length > 0) return old.find(({ ready }) => !ready) ?? (spare ? old[0] : undefined);
  return own.length > replicas ? (own.find(({ ready }) => !ready) ?? own[0]) : undefined;
}

export const WORKER_STATUS: WorkerStatus = {
  kind: 'WorkerStatus',
  version: 1,
  name: 'shop',
  pid: 1,
  startedAt: 0,
  state: 'running',
  config: { hash: '', appliedAt: 0 },
  processes: { desired: 2, ready: 2, busy: 0, starting: 0, draining: 0 },
  slots: { total: 2, busy: 0 },
  queue: { length: 0, max: 500, oldestMs: 0 },
  requests: { total: 0, inFlight: 0, byClass: {}, faults: {}, redispatched: 0 },
  list: [],
  deaths: [],
};

/** `registry.example.com/absent:2` is absent. */
export function nameOf(image: string): string {
  return image.split('/').at(-1)?.split(/[:@]/)[0] ?? '';
}

export function started(pod: Pod, { spec }: PodTemplate): Pod {
  if (pod.ready) return pod;
  const absent = (spec.initContainers ?? []).find(({ image }) => nameOf(image) === 'absent');
  const own = nameOf(spec.containers[0]?.image ?? '');
  const main = pod.component === 'proxy' ? 'proxy' : 'app';
  if (absent) return { ...pod, containers: [{ ...pulling(absent.name), init: true }] };
  if (own === 'absent') return { ...pod, containers: [pulling(main)] };
  if (own === 'crash') return { ...pod, phase: 'Running', containers: [crashing(main)] };
  const container: ContainerState = { name: main, init: false, ready: true, restarts: 0 };
  return { ...pod, phase: 'Running', ready: true, containers: [container] };
}

export function pulling(name: string): ContainerState {
  const message = 'Back-off pulling image "registry.example.com/absent:2": ErrImagePull: not found';
  return { name, init: false, ready: false, restarts: 0, waiting: { reason: 'ImagePullBackOff', message } };
}

export function crashing(name: string): ContainerState {
  const message = [
    'starting',
    JSON.stringify({
      level: 'error',
      msg: 'the worker cannot start',
      code: 'BOOT_FAILED',
      reason: 'ModuleNotFoundError: No module named flask',
      mend: 'install flask',
    }),
  ].join('\n');
  return {
    name,
    init: false,
    ready: false,
    restarts: 4,
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' },
    terminated: { reason: 'Error', exitCode: 3, message },
  };
}
