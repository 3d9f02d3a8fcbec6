// What the supervisor tells a Node application process at its start, and the lines that both say on the control pipe
// afterwards. One definition for both ends: node.ts writes, node-app/ reads, and the other way round.
import type { BootFailure } from '../runtime.ts';

/** The pipe's file descriptor in the application process. */
export const CONTROL_FD = 3;

/** Environment variable that carries `AppSettings` as JSON; gone before the application is loaded. */
export const SETTINGS_VARIABLE = 'WEBAPP_NODE_APP';

export interface AppSettings {
  /** path/to/server.js[:export], relative to the working directory. */
  readonly app: string;
  /** Process id of the supervisor. */
  readonly parent: number;
  /** Unix socket to listen on: this one, or with `.own` at its end, as `ready` says. */
  readonly socket: string;
  readonly secret: string;
  readonly trustForwarded: boolean;
}

/** Process → supervisor, one JSON line each. */
export type ChildMessage =
  | { readonly type: 'ready'; readonly socket: string }
  | ({ readonly type: 'boot-failed' } & BootFailure)
  /** Answer to a ping. */
  | { readonly type: 'pong' };

/** Supervisor → process: finish what runs, exit 0. */
export const STOP_LINE = 'stop';

/** Supervisor → process: say pong when the event loop comes by. */
export const PING_LINE = 'ping';

/** Longest line either end takes, in UTF-16 units. */
export const MAX_LINE = 64 * 1024;

/** Cuts a byte stream into lines. A line beyond MAX_LINE is dropped: what comes from a process is not trusted to end. */
export class Lines {
  #rest = '';
  #skipping = false;

  /** @returns the lines completed by `text` */
  push(text: string): string[] {
    const parts = (this.#rest + text).split('\n');
    const last = parts.pop() ?? '';
    const lines = this.#skipping ? parts.slice(1) : parts;
    if (parts.length > 0) this.#skipping = false;
    if (last.length > MAX_LINE) this.#skipping = true;
    this.#rest = this.#skipping ? '' : last;
    return lines;
  }
}
