// Where WebApps run, as the commands that look at them and change them see it: this machine, or a cluster. Each place has its own way; the commands know none.
import type { LogOrigin } from '../run/log-book.ts';
import type { Sight } from './sight.ts';

export interface Place {
  /** For a title: `this machine`, or context and namespace. */
  readonly words: string;
  /** More than one namespace may be among what is listed. */
  readonly withNamespaces: boolean;
  /** Between two looks. Milliseconds. */
  readonly everyMs: number;
  /** All WebApps there are, within bounds; also what could not be asked, in words. @throws Failure */
  list(): Promise<{ sights: Sight[]; notes: string[] }>;
  /** @throws Failure UNKNOWN_NAME, naming those there are */
  sight(name: string): Promise<Sight>;
  /** Resolves when all is told; when following, when `signal` aborts. @throws Failure */
  logs(name: string, wanted: WantedLogs, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void>;
  /** @returns what was done, in one line @throws Failure */
  resize(name: string, size: Size): Promise<string>;
  /** @returns what was done, in one line @throws Failure */
  restart(name: string): Promise<string>;
  close(): void;
}

export interface WantedLogs {
  readonly tail: number;
  readonly sinceMs: number | undefined;
  readonly from: LogOrigin | undefined;
  readonly follow: boolean;
}

export interface LogLine {
  /** The pod; '' on this machine. */
  readonly place: string;
  readonly from: LogOrigin;
  /** As it was written. */
  readonly text: string;
}

export interface Size {
  readonly processes: number | undefined;
  /** Pods. */
  readonly replicas: number | undefined;
}
