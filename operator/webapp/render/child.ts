// What all children have: labels by which they are found, the namespace of the WebApp, and the WebApp as their controller.
import { apiVersionOf, type KubeObject } from '../../../kube/object.ts';
import { type ChildKind, KINDS, WEBAPP } from '../kinds.ts';
import { type Component, labels } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { canonical } from './canonical.ts';

export interface ChildMeta {
  readonly name: string;
  readonly component?: Component | undefined;
  /** Beside ours, which win. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** @returns the object with `body` (spec, data, …) beside its metadata; nothing in it is null or an empty list */
export function makeChild(webApp: LiveWebApp, kind: ChildKind, meta: ChildMeta, body: object): KubeObject {
  const { annotations } = meta;
  return {
    apiVersion: apiVersionOf(KINDS[kind]),
    kind,
    metadata: {
      name: meta.name,
      namespace: webApp.metadata.namespace,
      labels: { ...meta.labels, ...labels(webApp.metadata.name, meta.component) },
      ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
      ownerReferences: [ownerOf(webApp)],
    },
    ...canonical(body),
  };
}

/** blockOwnerDeletion: a foreground delete of the WebApp waits for the child. It takes the right to update `webapps/finalizers`. */
function ownerOf({ metadata: { name, uid } }: LiveWebApp) {
  return {
    apiVersion: apiVersionOf(WEBAPP),
    kind: WEBAPP.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}
