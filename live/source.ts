// What the live page knows, and where it has it from: the status documents of one WebApp's programs, as whoever runs it reads them. `webapp up` and the
// operator each bring a Source of their own. Data and one interface; nothing here opens or asks.
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { StatusProblem, WebAppStatus } from '../core/status/webapp.ts';
import type { WorkerStatus } from '../core/status/worker.ts';

export interface WebAppName {
  readonly namespace: string;
  readonly name: string;
}

/** What one program told. */
export interface Told<T> {
  /** The pod; `here` where there is one of a kind. */
  readonly place: string;
  /** Absent: it does not answer. */
  readonly status?: T;
  /** Why it has not answered. */
  readonly why?: string;
}

export interface WebAppDocuments extends WebAppName {
  /** Where a person opens it. */
  readonly url?: string;
  readonly proxies: readonly Told<ProxyStatus>[];
  readonly workers: readonly Told<WorkerStatus>[];
  /** Of the resource, where there is one. */
  readonly conditions: NonNullable<WebAppStatus['conditions']>;
  readonly problems: readonly StatusProblem[];
  /** In effect, as YAML, without values that may be secret. */
  readonly configuration: string;
  /** Pods there are beyond those that were asked. */
  readonly notAsked: number;
}

/** One row of the list of WebApps. */
export interface Listed extends WebAppName {
  readonly url?: string;
  readonly tone: Tone;
  /** One sentence. */
  readonly text: string;
}

/** The worst first. */
export interface List {
  readonly webApps: readonly Listed[];
  /** There are so many more. */
  readonly left: number;
}

/** How users fare: well, hampered or about to be, badly; or nobody can tell. */
export type Tone = 'good' | 'warning' | 'bad' | 'unknown';

export interface Source {
  /** All there are, in any order; cheap, from memory. */
  list(): readonly Listed[];
  /**
   * Asks all programs of one WebApp, within bounds of its own; what does not answer has no `status`.
   * @returns undefined: there is no such WebApp
   */
  read(name: WebAppName, signal: AbortSignal): Promise<WebAppDocuments | undefined>;
  /** Between two looks at the same WebApp, where that costs others something. Milliseconds. */
  everyMs?(documents: WebAppDocuments): number;
  /** What was read last for another purpose, where there is such. */
  recall?(name: WebAppName): WebAppDocuments | undefined;
}
