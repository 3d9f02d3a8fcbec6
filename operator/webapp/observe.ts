// Gathers what one pass looks at. The only place that turns what the API server has into the types of the plan.
import { webAppSchema } from '../../core/app/schema.ts';
import { validateWebApp } from '../../core/app/validate.ts';
import type { Problem } from '../../core/errors.ts';
import type { NamedObjects } from '../../kube/named.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Settings } from '../settings.ts';
import type { Caches } from './caches.ts';
import { certificateTimes } from './certificate.ts';
import { CONFIG_MAP, SECRET } from './kinds.ts';
import { names, PORT } from './names.ts';
import type { LiveWebApp, Observed, Pod, Reference, ServedCertificate } from './observed.ts';
import { certificateSecretOf, referencesOf } from './render/render.ts';
import type { PodReports, ReportTarget } from './reports.ts';

export interface Sources {
  readonly caches: Caches;
  readonly named: NamedObjects;
  readonly reports: PodReports;
  readonly settings: Settings;
}

/** @param object the WebApp `key` as it is in the cache */
export function observe(sources: Sources, key: string, object: KubeObject): Observed {
  const { caches, named, reports, settings } = sources;
  const { webApp, invalid } = readWebApp(object);
  const isValid = invalid.length === 0;
  if (isValid) watchNamed(named, key, webApp);
  const certificate = isValid ? readCertificate(named, webApp) : undefined;
  return {
    webApp,
    invalid,
    children: caches.children(key, webApp.metadata.uid),
    pods: caches.pods(key),
    references: isValid ? readReferences(named, webApp) : [],
    ...(certificate && { certificate }),
    reports: reports.of(key),
    apis: caches.apis(),
    settings,
  };
}

/** The pods to ask for their state from now on. */
export function reportTargets({ caches }: Sources, key: string, uid: string): ReportTarget[] {
  const pods = caches.pods(key).filter(isAskable);
  if (pods.length === 0) return [];
  const configMaps = caches.children(key, uid).filter(({ kind }) => kind === 'ConfigMap');
  const hashIn = (configMap: string, file: string) =>
    hashOf(configMaps.find(({ metadata }) => metadata.name === configMap)?.['data'], file);
  return pods.map(({ component, metadata, ip = '', webApp, revision }) => ({
    pod: metadata.name,
    uid: metadata.uid,
    ip,
    ...(component === 'worker'
      ? { component, port: PORT.workerAdmin, configHash: hashIn(names.workerConfig(webApp, revision), 'worker.json') }
      : { component, port: PORT.proxyAdmin, configHash: hashIn(names.proxyConfig(webApp), 'proxy.json') }),
  }));
}

type Askable = Pod & { readonly component: ReportTarget['component'] };

function isAskable(pod: Pod): pod is Askable {
  const { component, ip, metadata, phase } = pod;
  return component !== 'migrate' && ip !== undefined && metadata.deletionTimestamp === undefined && phase === 'Running';
}

function hashOf(data: unknown, file: string): string | undefined {
  return (data as Record<string, string> | undefined)?.[file]?.match(/"hash":\s*"([0-9a-f]+)"/)?.[1];
}

/**
 * Types and defaults only: what the API server admitted is not refused here a second time. What this version's schema cannot read at all (an
 * older or newer CRD is installed) is `invalid`.
 */
export function readWebApp(object: KubeObject): { webApp: LiveWebApp; invalid: readonly Problem[] } {
  const { status, metadata } = object;
  const parsed = webAppSchema.safeParse({
    ...object,
    metadata: { ...metadata, annotations: metadata.annotations ?? {} },
  });
  const webApp = { ...(parsed.success ? parsed.data : object), metadata, ...(status !== undefined && { status }) };
  return { webApp: webApp as unknown as LiveWebApp, invalid: parsed.success ? [] : validateWebApp(object).problems };
}

/** What pods read must be known at once; a certificate ends on a day. */
function watchNamed(named: NamedObjects, key: string, webApp: LiveWebApp): void {
  const { namespace } = webApp.metadata;
  const secret = certificateSecretOf(webApp);
  named.want(key, [
    ...(secret === undefined ? [] : [{ resource: SECRET, namespace, name: secret, patient: true }]),
    ...referencesOf(webApp).map(({ kind, name }) => ({ resource: resourceOf(kind), namespace, name })),
  ]);
}

function readCertificate(named: NamedObjects, webApp: LiveWebApp): ServedCertificate | undefined {
  const { name, namespace } = webApp.metadata;
  const secret = certificateSecretOf(webApp);
  if (secret === undefined) return undefined;
  const issued = webApp.spec.proxy.tls?.issuerRef !== undefined;
  const field = issued ? 'spec.proxy.tls.issuerRef' : 'spec.proxy.tls.secretName';
  const seen = named.state(SECRET, namespace, secret);
  const times = certificateTimes(seen);
  return { secret, webApp: name, field, issued, state: seen.state, ...(times && { times }) };
}

const resourceOf = (kind: Reference['kind']) => (kind === 'Secret' ? SECRET : CONFIG_MAP);

function readReferences(named: NamedObjects, webApp: LiveWebApp): Reference[] {
  const { namespace } = webApp.metadata;
  return referencesOf(webApp).map((reference) => {
    const resource = resourceOf(reference.kind);
    const seen = named.state(resource, namespace, reference.name);
    const { state } = seen;
    if (state === 'forbidden') return { ...reference, state, message: seen.message, missingKeys: [] };
    if (state !== 'present') return { ...reference, state, missingKeys: [] };
    return {
      ...reference,
      state,
      hash: seen.hash,
      missingKeys: reference.keys.filter((name) => !seen.keys.includes(name)),
    };
  });
}
