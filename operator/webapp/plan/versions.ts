// The stored versions of worker and proxy: which one has the inputs of today, and which are kept.
import type { KubeObject } from '../../../kube/object.ts';
import { names } from '../names.ts';
import { parseRevision, type Revision } from '../revision.ts';
import { type Children, isLeaving } from './children.ts';
import { numberOf } from './json-fields.ts';

export interface Stored {
  readonly revision: Revision;
  readonly object: KubeObject;
}

/** The one deployed last first. */
export type Versions = readonly Stored[];

/** One that was tampered with, or stands under another's name, counts as absent. */
export function readVersions(children: Children, webApp: string, component: Revision['component']): Versions {
  return children
    .of('ControllerRevision')
    .flatMap((object): Stored[] => {
      const made = isLeaving(object) ? undefined : parseRevision(object);
      if (made?.component !== component || object.metadata.name !== names.revision(webApp, component, made.id))
        return [];
      // `revision` beside the immutable data counts: it goes up when a version is deployed once more.
      return [{ revision: { ...made, number: numberOf(object['revision']) ?? made.number }, object }];
    })
    .sort((a, b) => b.revision.number - a.revision.number);
}

export function findVersion(versions: Versions, id: string | undefined): Revision | undefined {
  return versions.find(({ revision }) => revision.id === id)?.revision;
}

/** An unchanged spec gets the very template it got before, so that a newer operator restarts no pod, and going back to an earlier spec goes back to its version. */
export function findOrMake(versions: Versions, inputs: string, make: (number: number) => Revision): Revision {
  return versions.find(({ revision }) => revision.inputs === inputs)?.revision ?? make(nextNumber(versions));
}

/** A version that is deployed once more is the newest again: the order of numbers is the order of serving. */
export function asNewest(versions: Versions, revision: Revision): Revision {
  const newest = versions[0]?.revision;
  return newest === undefined || newest.id === revision.id || revision.number > newest.number
    ? revision
    : { ...revision, number: nextNumber(versions) };
}

function nextNumber(versions: Versions): number {
  return (versions[0]?.revision.number ?? 0) + 1;
}

/** @returns those in use, and of the others the `keep` deployed last */
export function pickKept(versions: Versions, inUse: ReadonlySet<string>, keep: number): Versions {
  let spare = keep;
  return versions.filter(({ revision }) => inUse.has(revision.id) || spare-- > 0);
}
