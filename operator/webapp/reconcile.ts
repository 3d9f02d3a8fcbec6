// One pass for one WebApp: observe → plan → apply → report.
import { isDeepStrictEqual } from 'node:util';
import { API_VERSION, KIND } from '../../core/app/schema.ts';
import type { BackoffPolicy } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { WebAppStatus } from '../../core/status/webapp.ts';
import type { Client } from '../../kube/client.ts';
import type { Reconcile, ReconcileResult } from '../../kube/controller.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { applyChanges } from './apply.ts';
import type { Change } from './changes.ts';
import { WEBAPP } from './kinds.ts';
import { observe, reportTargets, type Sources } from './observe.ts';
import type { LiveWebApp } from './observed.ts';
import { planWebApp, tellFailures, withFailures } from './plan/plan.ts';

export interface ReconcilerOptions extends Sources {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * What the API server refuses may be allowed later: in a moment, by a server that has just begun and does not know yet who may do
 * what, or some day (a quota, a policy).
 */
const REFUSED: BackoffPolicy = { firstMs: 1_000, maxMs: 60_000, factor: 2 };

/** A plan rests on what was said last too: after a new status there is one more, though nothing in the cluster tells of it. */
const SECOND_LOOK_MS = 1_000;

export function makeReconcile(options: ReconcilerOptions): Reconcile {
  const { caches, named, reports, client, clock, log } = options;

  const letGo = (key: string): ReconcileResult => {
    named.want(key, []);
    reports.want(key, []);
    return {};
  };

  return async (key, signal) => {
    const object = caches.webApp(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return letGo(key);
    const observed = observe(options, key, object);
    const { webApp } = observed;
    const plan = planWebApp(observed, clock.wall());
    if (plan.changes.length > 0) log.info('changing', { webApp: key, changes: plan.changes.map(describeChange) });
    const failures = await applyChanges(client, webApp, plan.changes, caches, signal);
    for (const { change, type, message } of failures)
      log.warn('not changed', { webApp: key, change: describeChange(change), code: type, reason: message });
    const status = withFailures(plan.status, failures, webApp.status, clock.wall());
    const isNews = await report(options, webApp, status);
    for (const event of [...plan.events, ...tellFailures(webApp.status, status)])
      options.events.record({
        regarding: { apiVersion: API_VERSION, kind: KIND, metadata: webApp.metadata },
        ...event,
      });
    reports.heard(key, observed.reports);
    reports.want(key, reportTargets(options, key, webApp.metadata.uid));
    return {
      requeueAfterMs: isNews ? Math.min(SECOND_LOOK_MS, plan.requeueAfterMs ?? SECOND_LOOK_MS) : plan.requeueAfterMs,
      ...(failures.length > 0 && { retry: REFUSED }),
    };
  };
}

/** Written only when it differs; the WebApp may be gone meanwhile. @returns whether it differed */
async function report(
  { client, caches }: ReconcilerOptions,
  webApp: LiveWebApp,
  status: WebAppStatus,
): Promise<boolean> {
  if (isDeepStrictEqual(status, webApp.status)) return false;
  const { name, namespace, uid } = webApp.metadata;
  try {
    const object = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace, uid }, status };
    caches.wrote(await client.apply(WEBAPP, object, { subresource: 'status' }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return true;
}

/** Such as `apply Deployment/shop-worker (spec.replicas)`. */
function describeChange(change: Change): string {
  switch (change.verb) {
    case 'apply':
    case 'handOver':
      return `${change.verb} ${change.object.kind}/${change.object.metadata.name} (${change.why})`;
    case 'delete':
      return `delete ${change.kind}/${change.seen.name} (${change.why})`;
    case 'refresh':
      return `refresh Pod/${change.pod.name} (${change.told.hash}, told ${change.told.times} times)`;
  }
}
