// One WebApp as a command shows it: the picture that the live page draws, and in a cluster what the resource, its pods and its events say. Data only.
import type { Sample } from '../../live/minutes.ts';
import type { Picture } from '../../live/picture.ts';
import type { Tone } from '../../live/source.ts';
import type { Style } from '../terminal/paint.ts';

export interface Sight {
  readonly picture: Picture;
  /** The last second; null: not known. */
  readonly sample: Sample | null;
  /** Where it runs when that is this machine. */
  readonly run?: { readonly pid: number; readonly cwd: string };
  /** Of a cluster. */
  readonly resource?: ResourceSight;
}

export interface ResourceSight {
  readonly state: string;
  readonly image: string;
  readonly revision: string;
  /** `ready/desired`, as the operator sees it. */
  readonly pods: string;
  readonly proxies: string;
  readonly processes: string;
  readonly problems: readonly { readonly field: string; readonly message: string; readonly mend: string }[];
  readonly podList: readonly PodSight[];
  /** The latest first. */
  readonly events: readonly EventSight[];
  /** Why processes could not be asked; '' when they could. */
  readonly silent: string;
}

export interface PodSight {
  readonly name: string;
  readonly component: 'worker' | 'proxy' | 'migrate';
  /** Such as `ready`, `leaving`, `Pending`, or why a container waits. */
  readonly state: string;
  readonly isReady: boolean;
  readonly restarts: number;
  readonly ageMs: number;
  readonly node: string;
  readonly revision: string;
}

export interface EventSight {
  readonly agoMs: number;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly times: number;
}

export const TONE_STYLES: Readonly<Record<Tone, Style>> = {
  good: 'good',
  warning: 'warning',
  bad: 'bad',
  unknown: 'dim',
};
