// One WebApp that is to run here: the resource as the command line adjusts it, its source, and the two documents. Pure.

import type { WebApp } from '../../core/app/schema.ts';
import { makeProxyConfig, type ProxyConfig } from '../../core/config/proxy.ts';
import { hashed, makeWorkerConfig, resolveRuntime, type WorkerConfig } from '../../core/config/worker.ts';
import type { LoadedWebApp } from '../manifest.ts';
import type { TracingSpec } from './tracing-variables.ts';

/** What the command line, and the environment, change in every WebApp. */
export interface Adjustments {
  readonly processes: number | undefined;
  /** One process, as `flask run` has: the debugger's page must find the process that made it. */
  readonly reload: boolean;
  /** Of those whose manifest has none. */
  readonly tracing?: TracingSpec | undefined;
}

export interface Target {
  readonly name: string;
  readonly webApp: WebApp;
  /** Absolute folder of the application. */
  readonly source: string;
  /** Folders where its requirements and environments may be, the nearest first. */
  readonly folders: readonly string[];
  readonly runtime: 'wsgi' | 'node';
}

/** Threads of a Python process with --reload: as many requests as a browser sends at once. */
const RELOAD_THREADS = 8;

export function makeTarget(
  { webApp, source, folder }: LoadedWebApp,
  { processes, reload, tracing }: Adjustments,
): Target {
  const runtime = resolveRuntime(webApp.spec.app, webApp.spec.runtime);
  const workers = {
    ...webApp.spec.workers,
    ...(processes !== undefined && { processes }),
    ...(reload && { processes: 1, preload: false, ...(runtime === 'wsgi' && { threads: RELOAD_THREADS }) }),
  };
  return {
    name: webApp.metadata.name,
    webApp: { ...webApp, spec: { ...(tracing && { tracing }), ...webApp.spec, workers } },
    source,
    folders: [...new Set([source, folder])],
    runtime,
  };
}

/** As an edit of `workers.processes` in the manifest. */
export function withProcesses(target: Target, processes: number): Target {
  const { webApp } = target;
  const workers = { ...webApp.spec.workers, processes };
  return { ...target, webApp: { ...webApp, spec: { ...webApp.spec, workers } } };
}

/** @param workerAddress where the proxy finds the worker */
export function makeDocuments(
  { webApp, source }: Pick<Target, 'webApp' | 'source'>,
  workerAddress: string,
  reload: boolean,
): { worker: WorkerConfig; proxy: ProxyConfig } {
  const proxy = makeProxyConfig(webApp, { upstream: [workerAddress], staticRoots: [source] });
  return { worker: makeWorkerConfig(webApp), proxy: reload ? withFreshStatics(proxy) : proxy };
}

/** While one edits a style sheet, the browser must ask for it each time. */
function withFreshStatics({ hash: _, ...proxy }: ProxyConfig): ProxyConfig {
  return hashed({ ...proxy, static: proxy.static.map((each) => ({ ...each, maxAgeSeconds: 0, immutable: false })) });
}
