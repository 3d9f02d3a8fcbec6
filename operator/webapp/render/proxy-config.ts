// proxy.json as it is in a cluster.
import { makeProxyConfig, type ProxyConfig } from '../../../core/config/proxy.ts';
import { names, PORT_NAME } from '../names.ts';
import { manifestOf, type RenderInput, type StaticVersion } from './input.ts';
import { STATIC_ROOT, staticVersionOf } from './statics.ts';

/** @param statics the current version's first; none: that of the spec's image, so that the document is whole */
export function proxyConfigOf({ webApp }: RenderInput, statics: readonly StaticVersion[]): ProxyConfig {
  const { name, namespace } = webApp.metadata;
  const versions = statics.length > 0 ? statics : [staticVersionOf(webApp.spec.image)];
  return makeProxyConfig(manifestOf(webApp), {
    upstream: { namespace, service: names.workersService(name), port: PORT_NAME.http },
    staticRoots: versions.map(({ key }) => `${STATIC_ROOT}/${key}`),
  });
}
