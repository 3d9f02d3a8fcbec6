// How pods are reached: the proxy inside the cluster, the proxy from outside when a load balancer is asked for, and the workers
// without an address of their own: the proxy balances over their EndpointSlices.
import type { KubeObject } from '../../../kube/object.ts';
import { names, PORT, PORT_NAME, selectorLabels } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { makeChild } from './child.ts';

export function renderServices(webApp: LiveWebApp): KubeObject[] {
  const { expose } = webApp.spec.proxy;
  return [
    renderProxyService(webApp),
    renderWorkersService(webApp),
    ...(expose.type === 'LoadBalancer' ? [renderPublicService(webApp)] : []),
  ];
}

function renderProxyService(webApp: LiveWebApp): KubeObject {
  const { name } = webApp.metadata;
  return makeChild(
    webApp,
    'Service',
    { name: names.service(name), component: 'proxy' },
    {
      spec: {
        type: 'ClusterIP',
        selector: selectorLabels(name, 'proxy'),
        ports: [port('http', 80), port('admin', PORT.proxyAdmin)],
      },
    },
  );
}

function renderWorkersService(webApp: LiveWebApp): KubeObject {
  const { name } = webApp.metadata;
  return makeChild(
    webApp,
    'Service',
    { name: names.workersService(name), component: 'worker' },
    {
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: false,
        selector: selectorLabels(name, 'worker'),
        ports: [port('http', PORT.worker), port('admin', PORT.workerAdmin)],
      },
    },
  );
}

/** Without the admin port: that is nobody's business outside. */
function renderPublicService(webApp: LiveWebApp): KubeObject {
  const { name } = webApp.metadata;
  const { className, annotations } = webApp.spec.proxy.expose;
  return makeChild(
    webApp,
    'Service',
    { name: names.publicService(name), component: 'proxy', annotations },
    {
      spec: {
        type: 'LoadBalancer',
        ...(className !== undefined && { loadBalancerClass: className }),
        selector: selectorLabels(name, 'proxy'),
        ports: [port('http', 80)],
      },
    },
  );
}

function port(name: keyof typeof PORT_NAME, number: number) {
  return { name: PORT_NAME[name], port: number, protocol: 'TCP', targetPort: PORT_NAME[name] };
}
