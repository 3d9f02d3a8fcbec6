// Which version is to run: the one that the spec asks for, or the last whole one when that has failed and going back is allowed.
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import type { Revision } from '../revision.ts';
import { isLate, type LiveDeployment } from './live-deployment.ts';
import { findVersion, type Versions } from './versions.ts';

export interface Target {
  readonly target: Revision | undefined;
  /** Id of the version that the spec asks for, when it failed and another is put back in its place. */
  readonly failed: string | undefined;
}

/** @param wanted undefined: not known yet, because what the spec refers to is not there; then all stays as it is */
export function pickTarget(
  wanted: Revision | undefined,
  live: LiveDeployment | undefined,
  versions: Versions,
  before: WebAppStatus | undefined,
  autoRollback: boolean,
): Target {
  if (wanted === undefined) {
    const target = findVersion(versions, live?.revision);
    return { target, failed: autoRollback ? before?.failedRevision : undefined };
  }
  const good = findVersion(versions, before?.lastGoodRevision);
  const failed = before?.failedRevision === wanted.id || (live?.revision === wanted.id && isLate(live));
  const back = autoRollback && failed && good !== undefined && good.id !== wanted.id;
  return back ? { target: good, failed: wanted.id } : { target: wanted, failed: undefined };
}
