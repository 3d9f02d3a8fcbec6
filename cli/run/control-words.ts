// What goes over the control socket of a `webapp up`: known to it and to the commands that ask it. Pure.
import type { Sample } from '../../live/minutes.ts';
import type { Picture } from '../../live/picture.ts';
import type { LogOrigin, LogWanted } from './log-book.ts';

/** In the run folder. */
export const CONTROL_SOCKET = 'control.sock';

/** Of a run of the same version: another's may have another shape. */
export interface RunDocument {
  readonly kind: 'WebAppRun';
  /** Version of this package. */
  readonly program: string;
  readonly pid: number;
  /** Where it was started. */
  readonly cwd: string;
  /** Of all WebApps that it runs. */
  readonly names: readonly string[];
  /** Those that were asked for. */
  readonly webApps: readonly RunningWebApp[];
}

export interface RunningWebApp {
  readonly picture: Picture;
  /** The last second; null: none yet. */
  readonly sample: Sample | null;
}

/** To an order. */
export interface ControlAnswer {
  /** Such as `workers.processes 3 → 8`. */
  readonly changes: readonly string[];
}

export interface AskedLogs extends LogWanted {
  readonly name: string;
  readonly follow: boolean;
}

export function askLogs({ name, tail, sinceAt, from, follow }: AskedLogs): URLSearchParams {
  return new URLSearchParams({
    name,
    tail: String(tail),
    follow: follow ? '1' : '',
    ...(sinceAt !== undefined && { since: String(sinceAt) }),
    ...(from !== undefined && { from }),
  });
}

/** What is not understood is as if it were not there. */
export function readAskedLogs(query: URLSearchParams): AskedLogs {
  const [tail, sinceAt, from] = [Number(query.get('tail')), Number(query.get('since')), query.get('from')];
  return {
    name: query.get('name') ?? '',
    follow: query.get('follow') === '1',
    tail: Number.isInteger(tail) && tail >= 0 ? tail : 0,
    ...(sinceAt > 0 && { sinceAt }),
    ...(isOrigin(from) && { from }),
  };
}

export const isOrigin = (text: unknown): text is LogOrigin => text === 'app' || text === 'proxy';
