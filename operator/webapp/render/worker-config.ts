// worker.json as it is in a cluster.
import { hashed, makeWorkerConfig, resolveRuntime, type WorkerConfig } from '../../../core/config/worker.ts';
import type { LiveWebApp } from '../observed.ts';
import type { Revision } from '../revision.ts';
import { resourcesIn } from './application-container.ts';
import { manifestOf, type RenderInput } from './input.ts';
import { cpusOf, heapFlag, memoryShareOf, type Resources } from './resources.ts';
import { workerTemplate } from './worker-template.ts';

const MOST_PROCESSES = 256;

/**
 * worker.json for a cluster: env only what must follow in-place changes (NODE_OPTIONS by memory limit and processes), `auto` resolved from the cpu limit
 * (else the request, else 1; two at least), maxMemory derived from the memory limit when the spec has none.
 */
export function workerConfigOf(input: RenderInput): WorkerConfig {
  const { podTemplate, resources } = input.webApp.spec;
  const template = podTemplate === undefined ? undefined : workerTemplate(input, '');
  return documentOf(input.webApp, (template && resourcesIn(template)) ?? resources);
}

/**
 * @returns `config` with what belongs to `revision` laid over it, and its hash made anew: its app and runtime, and with `input` also what
 * follows from the resources of its pods, which are not the spec's while a rollout lasts and after one was taken back
 */
export function workerConfigFor(config: WorkerConfig, revision: Revision, input?: RenderInput): WorkerConfig {
  const app = typeof revision.config?.['app'] === 'string' ? revision.config['app'] : config.app;
  const runtime =
    revision.config?.['runtime'] === 'node' || revision.config?.['runtime'] === 'wsgi'
      ? revision.config['runtime']
      : config.runtime;
  if (input === undefined) return withHash(config, { app, runtime });
  const { spec } = input.webApp;
  const webApp = { ...input.webApp, spec: { ...spec, app, runtime } };
  return documentOf(webApp, resourcesIn(revision.template) ?? spec.resources);
}

function documentOf(webApp: LiveWebApp, resources: Resources): WorkerConfig {
  const { preload, maxMemory, processes } = webApp.spec.workers;
  const count = processes === 'auto' ? autoProcesses(resources) : processes;
  const share = memoryShareOf(resources, count);
  const config = makeWorkerConfig(manifestOf(webApp), { env: nodeOptions(webApp, share), autoProcesses: count });
  // Forked processes share memory that each is reckoned to have: a derived bound would replace them for ever.
  if (maxMemory !== undefined || preload || share === undefined) return config;
  return withHash(config, { maxMemoryBytes: share });
}

function autoProcesses(resources: Resources): number {
  return Math.min(MOST_PROCESSES, Math.max(2, Math.ceil(cpusOf(resources))));
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
