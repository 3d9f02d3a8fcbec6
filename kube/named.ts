// Single objects watched by name (`fieldSelector=metadata.name=…`), for Secrets and ConfigMaps that others own: never a list of all. Counted by
// interest; what nobody wants any more is let go. Keeps a digest, never the content.
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Resource } from './object.ts';
import type { Transport } from './transport.ts';

/** hash: over data, binaryData and type. missing: the server says there is none. unknown: not heard yet. */
export type NamedState =
  | { readonly state: 'present'; readonly hash: string; readonly keys: readonly string[] }
  | { readonly state: 'missing' }
  | { readonly state: 'forbidden'; readonly message: string }
  | { readonly state: 'unknown' };

export interface NamedObjects {
  /** Replaces what `owner` is interested in; begins and ends watches accordingly. */
  want(owner: string, references: readonly { resource: Resource; namespace: string; name: string }[]): void;
  state(resource: Resource, namespace: string, name: string): NamedState;
  /** Owners to look at again, because a state they want changed. @returns stop */
  onChange(listener: (owner: string) => void): () => void;
  /** null: all watches are in step. Else what is wrong. */
  health(): string | null;
  close(): void;
}

export interface NamedObjectsOptions {
  readonly transport: Transport;
  readonly log: Log;
  readonly clock: Clock;
  /** Watches at a time; what is beyond is read once a minute instead. Default 1,000. */
  readonly maxWatches?: number;
}

export declare function makeNamedObjects(options: NamedObjectsOptions): NamedObjects;
