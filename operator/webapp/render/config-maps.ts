// The ConfigMaps that carry worker.json and proxy.json to the pods.
import type { ProxyConfig } from '../../../core/config/proxy.ts';
import type { WorkerConfig } from '../../../core/config/worker.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { LABEL, names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import type { Revision } from '../revision.ts';
import { makeChild } from './child.ts';
import { PROXY_CONFIG_KEY } from './proxy-template.ts';
import { WORKER_CONFIG_KEY } from './worker-template.ts';

export function renderWorkerConfigMap(webApp: LiveWebApp, revision: Revision, config: WorkerConfig): KubeObject {
  const name = names.workerConfig(webApp.metadata.name, revision.id);
  const meta = { name, component: 'worker', labels: { [LABEL.revision]: revision.id } } as const;
  return makeChild(webApp, 'ConfigMap', meta, { data: { [WORKER_CONFIG_KEY]: JSON.stringify(config) } });
}

export function renderProxyConfigMap(webApp: LiveWebApp, config: ProxyConfig): KubeObject {
  const meta = { name: names.proxyConfig(webApp.metadata.name), component: 'proxy' } as const;
  return makeChild(webApp, 'ConfigMap', meta, { data: { [PROXY_CONFIG_KEY]: JSON.stringify(config) } });
}
