// What every renderer is given.
import type { WebApp } from '../../../core/app/schema.ts';
import type { Settings } from '../../settings.ts';
import type { OptionalKind } from '../kinds.ts';
import type { LiveWebApp } from '../observed.ts';

export interface RenderInput {
  readonly webApp: LiveWebApp;
  readonly settings: Settings;
  /** Optional kinds that the cluster has; the others are not rendered, whatever the spec says. */
  readonly apis: ReadonlySet<OptionalKind>;
}

/** PodTemplateSpec, as JSON. */
export type PodTemplate = Readonly<Record<string, unknown>>;

/** An image whose static files the proxy serves. `key`: its folder's name, 10 hex digits over the image (its digest when it names one). */
export interface StaticVersion {
  readonly image: string;
  readonly key: string;
}

/** @returns what core/config makes the documents from: the WebApp as its person wrote it */
export function manifestOf({ apiVersion, kind, metadata, spec }: LiveWebApp): WebApp {
  return { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace }, spec };
}
