// worker.json and proxy.json as they are in a cluster, and the ConfigMaps that carry them.
import { makeProxyConfig, type ProxyConfig } from '../../../core/config/proxy.ts';
import { hashed, makeWorkerConfig, resolveRuntime, type WorkerConfig } from '../../../core/config/worker.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { LABEL, names, PORT_NAME } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import type { Revision } from '../revision.ts';
import { makeChild } from './child.ts';
import { manifestOf, type RenderInput, type StaticVersion } from './input.ts';
import { PROXY_CONFIG_KEY } from './proxy-template.ts';
import { cpusOf, heapFlag, memoryShareOf } from './resources.ts';
import { STATIC_ROOT, staticVersionOf } from './statics.ts';
import { WORKER_CONFIG_KEY } from './worker-template.ts';

const MOST_PROCESSES = 256;
/** What core/config/worker.ts takes where the spec says nothing. */
const DEFAULT_THREADS = { node: 100, wsgi: 1 } as const;

/**
 * worker.json for a cluster: env only what must follow in-place changes (NODE_OPTIONS by memory limit and processes), `auto` resolved from the cpu limit
 * (else the request, else 1; two at least), maxMemory derived from the memory limit when the spec has none.
 */
export function workerConfigOf({ webApp }: RenderInput): WorkerConfig {
  const { preload, maxMemory, processes } = webApp.spec.workers;
  const count = processes === 'auto' ? autoProcesses(webApp) : processes;
  const share = memoryShareOf(webApp.spec.resources, count);
  const config = makeWorkerConfig(manifestOf(webApp), { env: nodeOptions(webApp, share), autoProcesses: count });
  // Forked processes share memory that each is reckoned to have: a derived bound would replace them for ever.
  if (maxMemory !== undefined || preload || share === undefined) return config;
  return withHash(config, { maxMemoryBytes: share });
}

/** @returns `config` with what belongs to `revision` (app, runtime) laid over it, and its hash made anew */
export function workerConfigFor(config: WorkerConfig, { config: own }: Revision): WorkerConfig {
  const app = typeof own?.['app'] === 'string' ? own['app'] : config.app;
  const runtime = own?.['runtime'] === 'wsgi' || own?.['runtime'] === 'node' ? own['runtime'] : config.runtime;
  // A default of one runtime is none of the other.
  const defaulted = runtime !== config.runtime && config.threads === DEFAULT_THREADS[config.runtime];
  return withHash(config, { app, runtime, ...(defaulted && { threads: DEFAULT_THREADS[runtime] }) });
}

/** @param statics the current version's first; none: that of the spec's image, so that the document is whole */
export function proxyConfigOf({ webApp }: RenderInput, statics: readonly StaticVersion[]): ProxyConfig {
  const { name, namespace } = webApp.metadata;
  const versions = statics.length > 0 ? statics : [staticVersionOf(webApp.spec.image)];
  return makeProxyConfig(manifestOf(webApp), {
    upstream: { namespace, service: names.workersService(name), port: PORT_NAME.http },
    staticRoots: versions.map(({ key }) => `${STATIC_ROOT}/${key}`),
  });
}

export function renderWorkerConfigMap(webApp: LiveWebApp, revision: Revision, config: WorkerConfig): KubeObject {
  const name = names.workerConfig(webApp.metadata.name, revision.id);
  return makeChild(
    webApp,
    'ConfigMap',
    { name, component: 'worker', labels: { [LABEL.revision]: revision.id } },
    {
      data: { [WORKER_CONFIG_KEY]: JSON.stringify(config) },
    },
  );
}

export function renderProxyConfigMap(webApp: LiveWebApp, config: ProxyConfig): KubeObject {
  const name = names.proxyConfig(webApp.metadata.name);
  return makeChild(
    webApp,
    'ConfigMap',
    { name, component: 'proxy' },
    {
      data: { [PROXY_CONFIG_KEY]: JSON.stringify(config) },
    },
  );
}

function autoProcesses({ spec }: LiveWebApp): number {
  return Math.min(MOST_PROCESSES, Math.max(2, Math.ceil(cpusOf(spec.resources))));
}

/**
 * Laid over the environment of the pod, so that it must not take away what a person put there: options of theirs are kept, and where
 * we cannot see whether there are any (valueFrom, envFrom) nothing is set.
 */
function nodeOptions({ spec }: LiveWebApp, share: number | undefined): Record<string, string> {
  if (share === undefined || resolveRuntime(spec.app, spec.runtime) !== 'node') return {};
  const own = spec.env?.find(({ name }) => name === 'NODE_OPTIONS');
  const hidden = own === undefined ? (spec.envFrom?.length ?? 0) > 0 : own.valueFrom !== undefined;
  if (hidden || own?.value?.includes('max-old-space-size') || own?.value?.includes('max_old_space_size')) return {};
  return { NODE_OPTIONS: [own?.value, heapFlag(share)].filter(Boolean).join(' ') };
}

/** @returns `config` with `changes` over it; equal documents have equal hashes, since keys keep their places */
function withHash(config: WorkerConfig, changes: Partial<WorkerConfig>): WorkerConfig {
  const { hash: _, ...rest } = config;
  return hashed({ ...rest, ...changes });
}
