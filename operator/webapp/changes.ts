// What a plan wants done, as data, and what became of it.
import type { StatusProblem, WebAppStatus } from '../../core/status/webapp.ts';
import type { KubeObject, ObjectMeta } from '../../kube/object.ts';
import type { ChildKind } from './kinds.ts';
import type { Told } from './observed.ts';

export type Seen = Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'>;

/** Carried out in order; one that fails does not keep the next from being tried, save that nothing follows a failed `handOver`. */
export type Change =
  /** Server-side apply of the complete intent, its hash in the annotation. `why`: for the log (new, or the path that drifted). `create`: not seen live, so that the name may be another's. */
  | { readonly verb: 'apply'; readonly object: KubeObject; readonly create: boolean; readonly why: string }
  /** `object` is a partial intent (spec.replicas), applied under HAND_OVER_MANAGER before we stop to own the field. */
  | { readonly verb: 'handOver'; readonly object: KubeObject; readonly why: string }
  /** The kubelet of the pod is to refresh its files now, and sees so from the annotations that get `told`. */
  | { readonly verb: 'refresh'; readonly pod: Seen; readonly told: Told }
  | { readonly verb: 'delete'; readonly kind: ChildKind; readonly seen: Seen; readonly why: string };

export interface Failure {
  readonly change: Change;
  /** refused: the API server does not take the object, trying again the same way is no use. taken: the name belongs to another. */
  readonly type: 'refused' | 'taken';
  /** The API server's words, or who has the name. */
  readonly message: string;
}

/** Told on a transition only. */
export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export interface Plan {
  readonly changes: readonly Change[];
  /** Complete; equal to the one before (deep) when nothing is new. */
  readonly status: WebAppStatus;
  readonly events: readonly PlannedEvent[];
  /** When time alone will change the plan: a deadline. */
  readonly requeueAfterMs?: number;
}

export type { StatusProblem };
