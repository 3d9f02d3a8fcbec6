// Who may reach the pods, where the network enforces it: the proxy takes whom `access` names, the worker takes only its proxy, the
// admin ports take the operator and Prometheus. What the pods themselves reach is not touched.
import type { KubeObject } from '../../../kube/object.ts';
import { LABEL, names, PORT, selectorLabels } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { makeChild } from './child.ts';

/**
 * By the name that both charts give their pods, in any namespace. A WebApp may have that name too: its pods are told apart by a label
 * that all pods of WebApps carry.
 */
const MONITORS = {
  namespaceSelector: {},
  podSelector: {
    matchExpressions: [
      { key: LABEL.name, operator: 'In', values: ['webapp-operator', 'prometheus'] },
      { key: LABEL.webApp, operator: 'DoesNotExist' },
    ],
  },
};

type AccessPeer = NonNullable<LiveWebApp['spec']['access']['from']>[number];

export function renderNetworkPolicies(webApp: LiveWebApp): KubeObject[] {
  const { name } = webApp.metadata;
  const proxies = { podSelector: { matchLabels: selectorLabels(name, 'proxy') } };
  return [
    policy(webApp, 'proxy', [
      // Without `from` (also an empty one): everyone.
      { from: webApp.spec.access.from?.map(peerOf), ports: [port(PORT.proxy)] },
      { from: [MONITORS], ports: [port(PORT.proxyAdmin)] },
    ]),
    policy(webApp, 'worker', [
      { from: [proxies], ports: [port(PORT.worker)] },
      { from: [MONITORS], ports: [port(PORT.workerAdmin)] },
    ]),
  ];
}

function policy(webApp: LiveWebApp, component: 'worker' | 'proxy', ingress: object[]): KubeObject {
  const { name } = webApp.metadata;
  return makeChild(
    webApp,
    'NetworkPolicy',
    { name: names[component](name), component },
    {
      spec: { podSelector: { matchLabels: selectorLabels(name, component) }, policyTypes: ['Ingress'], ingress },
    },
  );
}

/** An empty selector matches all, so that it must be there. */
function peerOf({ ipBlock, namespaceSelector, podSelector }: AccessPeer): object {
  return {
    ...(ipBlock && { ipBlock }),
    ...(namespaceSelector && { namespaceSelector: selectorOf(namespaceSelector) }),
    ...(podSelector && { podSelector: selectorOf(podSelector) }),
  };
}

/** `matchLabels: {}` is not kept by the server: without it the selector means the same. */
function selectorOf({ matchLabels }: { matchLabels?: Readonly<Record<string, string>> | undefined }): object {
  return matchLabels && Object.keys(matchLabels).length > 0 ? { matchLabels } : {};
}

function port(number: number): object {
  return { protocol: 'TCP', port: number };
}
