// Where a person finds the application.
import type { Settings } from '../../settings.ts';
import { names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';

/** In-cluster URL, or `https://HOST` of the first host when exposed (`http://` where nothing ends TLS for it: an Ingress without tls, a load balancer). */
export function urlOf(webApp: LiveWebApp, { clusterDomain }: Settings): string {
  const { name, namespace } = webApp.metadata;
  const { expose, hosts = [], tls } = webApp.spec.proxy;
  const host = hosts.find((one) => !one.startsWith('*'));
  if (expose.type === 'None' || host === undefined)
    return `http://${names.service(name)}.${namespace}.svc.${clusterDomain}`;
  const secure = expose.type === 'HTTPRoute' || (expose.type === 'Ingress' && tls !== undefined);
  return `${secure ? 'https' : 'http'}://${host}`;
}
