// What the workers tell of themselves, summed up over a WebApp.
import type { Condition, WebAppStatus } from '../../../core/status/webapp.ts';
import { type Judged, judged } from './conditions.ts';
import type { World } from './world.ts';

export interface Tally {
  readonly workers: WebAppStatus['workers'];
  readonly queue: number | undefined;
  readonly configApplied: Judged<'ConfigApplied'>;
}

/** Hashes of the documents as they are wanted now. */
export interface ConfigsWanted {
  /** Of worker.json, by version. */
  readonly workers: ReadonlyMap<string, string>;
  readonly proxy: string | undefined;
}

export function tallyWorkers(world: World, hashes: ConfigsWanted): Tally {
  const { reports, before } = world;
  const last = before?.conditions?.find(({ type }) => type === 'ConfigApplied');
  if (before !== undefined && last !== undefined && isCatchingUp(world)) return carriedOn(before, last);
  if (reports.length === 0)
    return {
      workers: undefined,
      queue: undefined,
      configApplied: judged('ConfigApplied', 'Unknown', 'No worker has answered yet.'),
    };
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    Math.min(
      1_000_000,
      reports.reduce((total, report) => total + of(report), 0),
    );
  const ready = sum(({ status }) => status.processes.ready);
  const desired = sum(({ status }) => status.processes.desired);
  return {
    workers: { desired, ready, summary: `${ready}/${desired}` },
    queue: sum(({ status }) => status.queue.length),
    configApplied: judgeApplied(world, hashes),
  };
}

/**
 * An operator that has just started asks its workers anew. While some that are ready have not answered and nothing else has changed, what was told last
 * still holds: else each start would write every status twice.
 */
export function isCatchingUp({ livePods, reports, before, webApp, worker }: World): boolean {
  const answered = new Set(reports.map(({ uid }) => uid));
  const silent = livePods.some(
    ({ component, ready, metadata }) => component === 'worker' && ready && !answered.has(metadata.uid),
  );
  return (
    silent &&
    before?.workers !== undefined &&
    before.observedGeneration === webApp.metadata.generation &&
    before.pods?.ready === worker?.ready &&
    before.pods?.desired === worker?.desired
  );
}

function carriedOn({ workers, queue }: WebAppStatus, { reason, message }: Condition): Tally {
  return { workers, queue, configApplied: { type: 'ConfigApplied', reason: reason as 'Applied', message } };
}

function judgeApplied(world: World, hashes: ConfigsWanted): Judged<'ConfigApplied'> {
  const { reports, proxyReports, livePods } = world;
  const all = [...reports, ...proxyReports];
  const refused = all.find(({ status }) => status.config.error !== undefined);
  if (refused)
    return judged(
      'ConfigApplied',
      'Refused',
      `A ${refused.component} keeps the configuration before: ${refused.status.config.error}`,
    );
  const revisions = new Map(livePods.map(({ metadata, revision }) => [metadata.uid, revision]));
  const behind = all.find(({ component, uid, status }) => {
    const hash = component === 'proxy' ? hashes.proxy : hashes.workers.get(revisions.get(uid) ?? '');
    return hash !== undefined && status.config.hash !== hash;
  });
  return behind
    ? judged('ConfigApplied', 'Applying', `A ${behind.component} does not run by the current configuration yet.`)
    : judged('ConfigApplied', 'Applied', 'All workers and proxies that answer run by the current configuration.');
}
