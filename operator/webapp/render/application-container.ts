// The application's surroundings as the spec has them: image, environment, files, volumes. The same for worker pods and for the migration.
import { resolveRuntime } from '../../../core/config/worker.ts';
import { quantityOf } from '../../../kube/quantity.ts';
import { names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { digest } from './canonical.ts';
import type { PodTemplate } from './input.ts';
import { type Mapping, mappingOf } from './overlay.ts';
import { CONTAINER_SECURITY, LAST_LINES, POD_SECURITY } from './pod-safety.ts';
import { memoryLimitOf, type Resources, resourcesOf } from './resources.ts';

/** The name that `podTemplate` merges by. */
export const APP_CONTAINER = 'app';

const TMP = '/tmp';
const TMP_VOLUME = 'webapp-tmp';
const DEFAULT_REQUESTS = { cpu: '250m', memory: '256Mi' };

/** What of a pod the spec's fields make, for containers that run the application's image. */
export function applicationPod(webApp: LiveWebApp) {
  const { files = [], imagePullSecrets, serviceAccountName, volumes = [] } = webApp.spec;
  return {
    serviceAccountName: serviceAccountName ?? names.worker(webApp.metadata.name),
    // A person who names an account wants what it may do; ours may nothing.
    automountServiceAccountToken: serviceAccountName !== undefined,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    imagePullSecrets,
    volumes: [
      ...(hasOwnTmp(webApp) ? [] : [{ name: TMP_VOLUME, emptyDir: {} }]),
      ...files.map(fileVolume),
      ...volumes.map(volumeOf),
    ],
  };
}

export function applicationContainer(webApp: LiveWebApp) {
  const { envFrom, files = [], image, resources, volumes = [] } = webApp.spec;
  return {
    image,
    env: envOf(webApp),
    envFrom,
    resources: resourcesOf(resources, DEFAULT_REQUESTS),
    securityContext: CONTAINER_SECURITY,
    ...LAST_LINES,
    volumeMounts: [
      ...(hasOwnTmp(webApp) ? [] : [{ name: TMP_VOLUME, mountPath: TMP }]),
      ...files.map(({ path }) => ({ name: fileVolumeName(path), mountPath: path, readOnly: true })),
      ...volumes.map(({ name, path, readOnly }) => ({ name, mountPath: path, ...(readOnly && { readOnly }) })),
    ],
  };
}

/** What the person wrote goes before ours. */
function envOf({ spec }: LiveWebApp): object[] {
  const { app, env = [], resources } = spec;
  const python = resolveRuntime(app, spec.runtime) === 'wsgi';
  const ours = [
    // The user has no home in the image, and the root is read-only.
    { name: 'HOME', value: TMP },
    // glibc keeps an arena for each thread and CPU; under a limit that is memory nobody uses.
    ...(python && memoryLimitOf(resources) !== undefined ? [{ name: 'MALLOC_ARENA_MAX', value: '2' }] : []),
  ];
  return [...ours.filter(({ name }) => !env.some((one) => one.name === name)), ...env];
}

type File = NonNullable<LiveWebApp['spec']['files']>[number];
type Volume = NonNullable<LiveWebApp['spec']['volumes']>[number];

function fileVolume({ path, secretName, configMapName }: File): object {
  const name = fileVolumeName(path);
  return secretName === undefined ? { name, configMap: { name: configMapName } } : { name, secret: { secretName } };
}

/** By path and not by place: an entry more must not rename the others. */
function fileVolumeName(path: string): string {
  return `webapp-file-${digest(path, 10)}`;
}

function volumeOf({ name, emptyDir, persistentVolumeClaim }: Volume): object {
  if (persistentVolumeClaim) return { name, persistentVolumeClaim };
  const { medium, sizeLimit } = emptyDir ?? {};
  return {
    name,
    emptyDir: { ...(medium && { medium }), ...(sizeLimit !== undefined && { sizeLimit: String(sizeLimit) }) },
  };
}

/** A path may be mounted once. */
function hasOwnTmp({ spec: { files = [], volumes = [] } }: LiveWebApp): boolean {
  return [...files, ...volumes].some(({ path }) => path.replace(/\/+$/, '') === TMP);
}

/** @returns the application's container as a template has it, whatever a person laid over it; a hostile one has nothing */
export function appContainerIn(template: PodTemplate): Mapping {
  const { containers } = mappingOf(template['spec']);
  const found = Array.isArray(containers) && containers.find((one) => mappingOf(one)['name'] === APP_CONTAINER);
  return mappingOf(found);
}

/** What its pods have, which may be another than the spec's; undefined: nothing. */
export function resourcesIn(template: PodTemplate): Resources | undefined {
  const { limits, requests } = mappingOf(appContainerIn(template)['resources']);
  return limits === undefined && requests === undefined
    ? undefined
    : { limits: quantitiesIn(limits), requests: quantitiesIn(requests) };
}

function quantitiesIn(given: unknown): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(mappingOf(given)).filter(
      (one): one is [string, string | number] => quantityOf(one[1]) !== undefined,
    ),
  );
}
