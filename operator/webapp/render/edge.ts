// The way in from outside: Ingress, HTTPRoute, and the certificate of the hosts. TLS ends at the Ingress controller or the Gateway.
import type { KubeObject } from '../../../kube/object.ts';
import { names, PORT_NAME } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { makeChild } from './child.ts';
import type { RenderInput } from './input.ts';

const SERVICE_PORT = 80;

export function renderEdge({ webApp, apis }: RenderInput): KubeObject[] {
  const { type } = webApp.spec.proxy.expose;
  if (hostsOf(webApp).length === 0) return [];
  return [
    ...(type === 'Ingress' ? [renderIngress(webApp)] : []),
    ...(type === 'HTTPRoute' && apis.has('HTTPRoute') ? [renderHttpRoute(webApp)] : []),
    ...(webApp.spec.proxy.tls?.issuerRef && apis.has('Certificate') ? [renderCertificate(webApp)] : []),
  ];
}

function renderIngress(webApp: LiveWebApp): KubeObject {
  const { name } = webApp.metadata;
  const { className, annotations } = webApp.spec.proxy.expose;
  const service = { name: names.service(name), port: { name: PORT_NAME.http } };
  const secretName = certificateSecretOf(webApp);
  const hosts = hostsOf(webApp);
  return makeChild(
    webApp,
    'Ingress',
    { name: names.edge(name), component: 'proxy', annotations },
    {
      spec: {
        ...(className !== undefined && { ingressClassName: className }),
        rules: hosts.map((host) => ({
          host,
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] },
        })),
        ...(secretName !== undefined && { tls: [{ hosts, secretName }] }),
      },
    },
  );
}

function renderHttpRoute(webApp: LiveWebApp): KubeObject {
  const { name } = webApp.metadata;
  const { annotations, parentRef } = webApp.spec.proxy.expose;
  return makeChild(
    webApp,
    'HTTPRoute',
    { name: names.edge(name), component: 'proxy', annotations },
    {
      spec: {
        parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', ...parentRef }],
        hostnames: hostsOf(webApp),
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
            backendRefs: [{ kind: 'Service', name: names.service(name), port: SERVICE_PORT, weight: 1 }],
          },
        ],
      },
    },
  );
}

function renderCertificate(webApp: LiveWebApp): KubeObject {
  const { name } = webApp.metadata;
  return makeChild(
    webApp,
    'Certificate',
    { name: names.edge(name), component: 'proxy' },
    {
      spec: {
        secretName: names.certificateSecret(name),
        dnsNames: hostsOf(webApp),
        issuerRef: { group: 'cert-manager.io', ...webApp.spec.proxy.tls?.issuerRef },
        privateKey: { rotationPolicy: 'Always' },
      },
    },
  );
}

/** @param webApp with defaults or as the API server has it @returns the name of the Secret with the certificate of the hosts; undefined: none is asked for */
export function certificateSecretOf({ metadata, ...webApp }: KubeObject | LiveWebApp): string | undefined {
  const { proxy } = (webApp.spec ?? {}) as Partial<LiveWebApp['spec']>;
  return proxy?.tls?.issuerRef ? names.certificateSecret(metadata.name) : proxy?.tls?.secretName;
}

function hostsOf({ spec }: LiveWebApp): readonly string[] {
  return spec.proxy.hosts ?? [];
}
