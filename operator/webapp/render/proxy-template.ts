// The pod template of the proxies. Nothing that changes in place is in it: that lives in proxy.json.
import { makeProxyConfig } from '../../../core/config/proxy.ts';
import { names, PORT } from '../names.ts';
import { manifestOf, type PodTemplate, type RenderInput, type StaticVersion } from './input.ts';
import { overlay } from './overlay.ts';
import { CONTAINER_SECURITY, LAST_LINES, POD_SECURITY } from './pod-safety.ts';
import { heapFlag, memoryLimitOf, resourcesOf } from './resources.ts';
import { restartAnnotation } from './restart.ts';
import { gracePeriodSeconds, graceStep, PROBES, podLabels, podMetadata, portsOf, spreadOf } from './serving-pod.ts';
import { STATIC_ROOT, staticFoldersOf } from './statics.ts';

export const PROXY_CONFIG_KEY = 'proxy.json';

const CONFIG_FOLDER = '/etc/webapp';
const CONFIG_VOLUME = 'webapp-config';
const STATIC_VOLUME = 'webapp-static';
const DEFAULT_REQUESTS = { cpu: '100m', memory: '128Mi' };

export function proxyTemplate(input: RenderInput, statics: readonly StaticVersion[], revision: string): PodTemplate {
  const { webApp, settings } = input;
  const { name } = webApp.metadata;
  const copies = staticFoldersOf(webApp).length > 0 ? statics : [];
  const template = {
    metadata: podMetadata(name, 'proxy', {
      revision,
      adminPort: PORT.proxyAdmin,
      annotations: restartAnnotation(webApp.metadata.annotations),
    }),
    spec: {
      serviceAccountName: names.proxy(name),
      // For watching EndpointSlices.
      automountServiceAccountToken: true,
      enableServiceLinks: false,
      securityContext: POD_SECURITY,
      // The proxy's own image is public; those that the static files come from may not be.
      ...(copies.length > 0 && { imagePullSecrets: webApp.spec.imagePullSecrets }),
      terminationGracePeriodSeconds: gracePeriodSeconds(proxyGraceStep(webApp), settings.drainDelayMs),
      topologySpreadConstraints: spreadOf(name, 'proxy'),
      initContainers: copies.map((version, index) => copyContainer(input, version, index === 0)),
      containers: [proxyContainer(input, copies.length > 0)],
      volumes: [
        { name: CONFIG_VOLUME, configMap: { name: names.proxyConfig(name) } },
        ...(copies.length > 0 ? [{ name: STATIC_VOLUME, emptyDir: {} }] : []),
      ],
    },
  };
  return overlay(template, webApp.spec.proxy.podTemplate, podLabels(name, 'proxy', revision));
}

/** A drain of the proxy lasts no longer than the largest of these (proxy/settings.ts). */
export function proxyGraceStep(webApp: RenderInput['webApp']): number {
  const { timeouts } = makeProxyConfig(manifestOf(webApp), { upstream: [], staticRoots: [] });
  return graceStep(Math.max(timeouts.requestHeadMs, timeouts.requestBodyMs, timeouts.sendMs, timeouts.responseMs));
}

function proxyContainer({ webApp, settings }: RenderInput, hasStatics: boolean) {
  const { resources } = webApp.spec.proxy;
  const limit = memoryLimitOf(resources);
  return {
    name: 'proxy',
    image: settings.proxyImage,
    command: ['webapp-proxy'],
    args: [
      ...['--config', `${CONFIG_FOLDER}/${PROXY_CONFIG_KEY}`],
      ...['--listen', `0.0.0.0:${PORT.proxy}`, '--admin', `0.0.0.0:${PORT.proxyAdmin}`],
      ...['--drain-delay', `${settings.drainDelayMs}ms`],
      // Sooner back than the kubelet brings a container back, and no connection is refused meanwhile.
      '--master',
    ],
    ...(limit !== undefined && { env: [{ name: 'NODE_OPTIONS', value: heapFlag(limit) }] }),
    ports: portsOf(PORT.proxy, PORT.proxyAdmin),
    ...PROBES,
    resources: resourcesOf(resources, DEFAULT_REQUESTS),
    securityContext: CONTAINER_SECURITY,
    ...LAST_LINES,
    volumeMounts: [
      { name: CONFIG_VOLUME, mountPath: CONFIG_FOLDER, readOnly: true },
      ...(hasStatics ? [{ name: STATIC_VOLUME, mountPath: STATIC_ROOT, readOnly: true }] : []),
    ],
  };
}

/**
 * Resources as the proxy's: a quota that asks for limits asks them of init containers too.
 * @param isCurrent a folder that the current version lacks is a fault to be told; that an earlier one lacks it must not hold up the proxies
 */
function copyContainer({ webApp }: RenderInput, { image, key }: StaticVersion, isCurrent: boolean) {
  // With `=`, since a folder may begin with a dash.
  const pairs = staticFoldersOf(webApp).flatMap((folder) => [
    `--from=${folder}`,
    `--to=${STATIC_ROOT}/${key}/${folder}`,
  ]);
  return {
    name: `static-${key}`,
    image,
    command: ['webapp-worker'],
    args: ['copy-static', ...(isCurrent ? [] : ['--skip-missing']), ...pairs],
    env: [{ name: 'HOME', value: STATIC_ROOT }],
    resources: resourcesOf(webApp.spec.proxy.resources, DEFAULT_REQUESTS),
    securityContext: CONTAINER_SECURITY,
    ...LAST_LINES,
    volumeMounts: [{ name: STATIC_VOLUME, mountPath: STATIC_ROOT }],
  };
}
