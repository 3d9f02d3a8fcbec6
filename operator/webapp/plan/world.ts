// What one pass has observed, read once and indexed for all that decides.
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import { names } from '../names.ts';
import type { LiveWebApp, Observed, Pod, ProxyReport, WorkerReport } from '../observed.ts';
import type { RenderInput } from '../render/render.ts';
import { type Children, indexChildren } from './children.ts';
import { type LiveDeployment, readDeployment } from './live-deployment.ts';
import { readVersions, type Versions } from './versions.ts';

export interface World {
  readonly observed: Observed;
  readonly webApp: LiveWebApp;
  readonly input: RenderInput;
  /** The status written last. */
  readonly before: WebAppStatus | undefined;
  readonly children: Children;
  readonly worker: LiveDeployment | undefined;
  readonly proxy: LiveDeployment | undefined;
  readonly workerVersions: Versions;
  readonly proxyVersions: Versions;
  /** All of them, by name. */
  readonly pods: readonly Pod[];
  /** Those that run or will, by name: not being deleted, not ended. */
  readonly livePods: readonly Pod[];
  /** Of live worker pods, by pod. */
  readonly reports: readonly WorkerReport[];
  /** Of live proxies, by pod. */
  readonly proxyReports: readonly ProxyReport[];
}

export function readWorld(observed: Observed): World {
  const { webApp, settings, apis } = observed;
  const children = indexChildren(observed.children);
  const { name } = webApp.metadata;
  const pods = [...observed.pods].sort((a, b) => compare(a.metadata.name, b.metadata.name));
  const livePods = pods.filter(isLive);
  const uids = new Set(livePods.map(({ metadata }) => metadata.uid));
  const reports = observed.reports.filter(({ uid }) => uids.has(uid)).sort((a, b) => compare(a.pod, b.pod));
  return {
    observed,
    webApp,
    input: { webApp, settings, apis },
    before: webApp.status,
    children,
    worker: readDeployment(children.get('Deployment', names.worker(name))),
    proxy: readDeployment(children.get('Deployment', names.proxy(name))),
    workerVersions: readVersions(children, name, 'worker'),
    proxyVersions: readVersions(children, name, 'proxy'),
    pods,
    livePods,
    reports: reports.filter((report) => report.component === 'worker'),
    proxyReports: reports.filter((report) => report.component === 'proxy'),
  };
}

/** Evicted pods stay as Failed for people to look at; they use nothing any more. */
function isLive({ metadata, phase }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
