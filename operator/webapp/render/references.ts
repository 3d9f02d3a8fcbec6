// The Secrets and ConfigMaps whose content the application reads. Those for pulling images and for TLS are not among them: a
// change there concerns no pod that runs.
import type { LiveWebApp, Reference } from '../observed.ts';

type Named = Pick<Reference, 'kind' | 'name' | 'field' | 'keys'>;

/** What the spec refers to, each object once, with the keys needed and the first field that names it; the plan asks for their state. */
export function referencesOf(webApp: LiveWebApp): Named[] {
  const found = new Map<string, Named>();
  for (const one of [...ofEnv(webApp), ...ofEnvFrom(webApp), ...ofFiles(webApp)]) {
    const id = `${one.kind}/${one.name}`;
    const known = found.get(id);
    const keys = [...new Set([...(known?.keys ?? []), ...one.keys])];
    found.set(id, { ...(known ?? one), keys });
  }
  return [...found.values()];
}

function* ofEnv({ spec: { env = [] } }: LiveWebApp): Generator<Named> {
  for (const [index, { valueFrom }] of env.entries()) {
    const field = `spec.env[${index}].valueFrom`;
    const { secretKeyRef: secret, configMapKeyRef: map } = valueFrom ?? {};
    if (secret) yield { kind: 'Secret', name: secret.name, field: `${field}.secretKeyRef`, keys: [secret.key] };
    if (map) yield { kind: 'ConfigMap', name: map.name, field: `${field}.configMapKeyRef`, keys: [map.key] };
  }
}

function* ofEnvFrom({ spec: { envFrom = [] } }: LiveWebApp): Generator<Named> {
  for (const [index, { secretRef, configMapRef }] of envFrom.entries()) {
    const field = `spec.envFrom[${index}]`;
    if (secretRef) yield { kind: 'Secret', name: secretRef.name, field: `${field}.secretRef`, keys: [] };
    if (configMapRef) yield { kind: 'ConfigMap', name: configMapRef.name, field: `${field}.configMapRef`, keys: [] };
  }
}

function* ofFiles({ spec: { files = [] } }: LiveWebApp): Generator<Named> {
  for (const [index, { secretName, configMapName }] of files.entries()) {
    const field = `spec.files[${index}]`;
    if (secretName) yield { kind: 'Secret', name: secretName, field: `${field}.secretName`, keys: [] };
    if (configMapName) yield { kind: 'ConfigMap', name: configMapName, field: `${field}.configMapName`, keys: [] };
  }
}
