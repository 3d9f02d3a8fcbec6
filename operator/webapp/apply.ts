// Carries a plan's changes out, in order, and tells what was refused.
import type { Client } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Change, Failure } from './changes.ts';
import type { LiveWebApp } from './observed.ts';

/** Told of every write, so that the stores read what was written. */
export interface WriteListener {
  wrote(object: KubeObject): void;
  removed(kind: string, key: string, uid: string): void;
}

/**
 * An object that was not seen live is looked for by name first: one that another controls, or that nobody marked as this WebApp's, is not touched
 * (failure `taken`). Independent applies go side by side within bounds.
 * @returns what the API server refused. @throws KubeError for what trying again may heal (network, 409, 429, 5xx), after all changes were tried
 */
export declare function applyChanges(
  client: Client,
  webApp: LiveWebApp,
  changes: readonly Change[],
  listener: WriteListener,
  signal: AbortSignal,
): Promise<Failure[]>;
