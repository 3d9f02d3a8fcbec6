// What a change of each field of the spec does. A field that is not in the table fails the test: whoever adds one decides.
import { describe, expect, it } from 'vitest';
import { makeCrd } from '../../../core/app/crd.ts';
import type { LiveWebApp, Reference } from '../observed.ts';
import { canonical } from './canonical.ts';
import { proxyTemplate } from './proxy-template.ts';
import {
  makeProxyRevision,
  makeWorkerRevision,
  migrationKey,
  proxyConfigOf,
  proxyInputs,
  referencesOf,
  renderBase,
  renderProxyDeployment,
  renderWorkerDeployment,
  staticVersionOf,
  workerConfigOf,
  workerInputs,
} from './render.ts';
import { EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp } from './testing/samples.ts';
import { workerTemplate } from './worker-template.ts';

/** `worker pods`, `proxy pods`: they are replaced. `objects`: what stands beside the pods. */
type Effect = 'worker pods' | 'proxy pods' | 'worker.json' | 'proxy.json' | 'objects' | 'migration';
type Row = readonly [path: string, value: unknown, ...effects: Effect[]];

const WORKER = ['worker pods'] as const;
const PROXY = ['proxy pods'] as const;

/** Of EVERY_FIELD, one change each. */
const ROWS: readonly Row[] = [
  // The proxy serves the static files of the image.
  ['image', 'registry.example.com/shop:2', 'migration', 'proxy pods', 'proxy.json', 'worker pods'],
  ['app', 'other:app', 'worker pods', 'worker.json'],
  ['runtime', 'node', 'worker pods', 'worker.json'],
  ['replicas', 5, 'objects'],
  ['suspend', true, 'objects', 'proxy.json'],

  ['workers.processes', 8, 'worker.json'],
  ['workers.threads', 4, 'worker.json'],
  ['workers.timeout', '1m', 'worker.json'],
  ['workers.gracefulTimeout', '40s', 'worker.json'],
  ['workers.maxRequests.count', 6000, 'worker.json'],
  ['workers.maxRequests.jitter', 600, 'worker.json'],
  ['workers.maxMemory', '500Mi', 'worker.json'],
  ['workers.preload', false, 'worker.json'],
  ['workers.queue.max', 200, 'worker.json'],
  ['workers.queue.timeout', '6s', 'worker.json'],
  ['health.path', '/ready', 'worker.json'],
  ['health.interval', '20s', 'worker.json'],
  ['health.timeout', '3s', 'worker.json'],
  ['health.failures', 4, 'worker.json'],

  ['resources.requests.*', '300m', ...WORKER],
  ['resources.limits.*', 3, ...WORKER],
  ['env[0].name', 'OTHER', ...WORKER],
  ['env[0].value', 'other', ...WORKER],
  ['env[1].valueFrom.secretKeyRef.name', 'other', ...WORKER],
  ['env[1].valueFrom.secretKeyRef.key', 'other', ...WORKER],
  ['env[2].valueFrom.configMapKeyRef.name', 'other', ...WORKER],
  ['env[2].valueFrom.configMapKeyRef.key', 'other', ...WORKER],
  ['env[3].valueFrom.fieldRef.fieldPath', 'status.podIP', ...WORKER],
  ['envFrom[0].prefix', 'OTHER_', ...WORKER],
  ['envFrom[0].secretRef.name', 'other', ...WORKER],
  ['envFrom[1].configMapRef.name', 'other', ...WORKER],
  ['files[0].path', '/etc/other', ...WORKER],
  ['files[0].secretName', 'other', ...WORKER],
  ['files[1].configMapName', 'other', ...WORKER],
  ['volumes[0].name', 'other', ...WORKER],
  ['volumes[0].path', '/other', ...WORKER],
  ['volumes[0].readOnly', true, ...WORKER],
  ['volumes[0].emptyDir.sizeLimit', '2Gi', ...WORKER],
  ['volumes[0].emptyDir.medium', '', ...WORKER],
  ['volumes[1].persistentVolumeClaim.claimName', 'other', ...WORKER],
  // The proxy pulls the application's image for its static files.
  ['imagePullSecrets[0].name', 'other', 'proxy pods', 'worker pods'],
  ['serviceAccountName', 'other', ...WORKER],
  ['podTemplate', { spec: { nodeSelector: { disk: 'none' } } }, ...WORKER],

  ['proxy.replicas', 4, 'objects'],
  ['proxy.hosts[]', 'other.example.com', 'objects'],
  ['proxy.expose.className', 'other', 'objects'],
  ['proxy.expose.annotations.*', 'other', 'objects'],
  ['proxy.tls.secretName', 'other', 'objects'],
  ['proxy.resources.requests.*', '300m', ...PROXY],
  ['proxy.resources.limits.*', '512Mi', ...PROXY],
  ['proxy.podTemplate', {}, ...PROXY],
  // Which earlier images are served is the plan's: it comes as the list of static versions.
  ['proxy.keepRevisions', 1],
  ['proxy.static[0].path', '/files', 'proxy.json'],
  ['proxy.static[0].from', 'public', 'proxy pods', 'proxy.json'],
  ['proxy.static[0].maxAge', '1d', 'proxy.json'],
  ['proxy.static[0].immutable', false, 'proxy.json'],
  ['proxy.limits.body', '30Mi', 'proxy.json', 'worker.json'],
  ['proxy.timeouts.requestHead', '11s', 'proxy.json'],
  ['proxy.timeouts.requestBody', '31s', 'proxy.json'],
  ['proxy.timeouts.idle', '61s', 'proxy.json'],
  ['proxy.timeouts.send', '31s', 'proxy.json'],
  ['proxy.timeouts.connect', '3s', 'proxy.json'],
  ['proxy.timeouts.response', '50s', 'proxy.json'],

  ['migrate.command', ['flask', 'db', 'init'], 'migration'],
  // Of the Job, which is not made again for it.
  ['migrate.timeout', '6m'],
  ['autoscaling.minReplicas', 3, 'objects'],
  ['autoscaling.maxReplicas', 9, 'objects'],
  ['autoscaling.cpuPercent', 71, 'objects'],
  ['autoscaling.memoryPercent', 81, 'objects'],
  ['rollout.progressDeadline', '6m', 'objects'],
  ['rollout.autoRollback', false],
  ['rollout.maxSurge', 3, 'objects'],
  ['rollout.keepRevisions', 6, 'objects'],
  // From then on what the operator makes is part of a version.
  ['rollout.rollOnOperatorUpgrade', true, 'proxy pods', 'worker pods'],
  ['access.from[0].namespaceSelector.matchLabels.*', 'other', 'objects'],
  ['access.from[0].podSelector.matchLabels.*', 'other', 'objects'],
  ['access.from[1].ipBlock.cidr', '10.0.0.0/9', 'objects'],
  ['access.from[1].ipBlock.except', ['10.2.0.0/16'], 'objects'],
  ['monitoring.serviceMonitor', false, 'objects'],
  ['monitoring.podMonitor', true, 'objects'],
  ['monitoring.interval', '2m', 'objects'],
  ['monitoring.labels.*', 'other', 'objects'],
  ['tracing.endpoint', 'http://other:4318', 'proxy.json', 'worker.json'],
  ['tracing.sampling', 0.5, 'proxy.json', 'worker.json'],
];

/** Of EVERY_OTHER_FIELD. */
const OTHER_ROWS: readonly Row[] = [
  ['proxy.expose.type', 'None', 'objects'],
  ['proxy.expose.parentRef.name', 'other', 'objects'],
  ['proxy.expose.parentRef.namespace', 'other', 'objects'],
  ['proxy.expose.parentRef.sectionName', 'other', 'objects'],
  ['proxy.tls.issuerRef.name', 'other', 'objects'],
  ['proxy.tls.issuerRef.kind', 'Issuer', 'objects'],
];

/** Fields that change in place, until they need more time to leave than the pods have. */
const LEAPS: readonly Row[] = [
  ['workers.gracefulTimeout', '51s', 'worker pods', 'worker.json'],
  ['workers.gracefulTimeout', '3h', 'worker pods', 'worker.json'],
  ['proxy.timeouts.response', '2m', 'proxy pods', 'proxy.json'],
  ['proxy.timeouts.send', '10m', 'proxy pods', 'proxy.json'],
];

describe('a change of', () => {
  for (const [path, value, ...effects] of [...ROWS, ...LEAPS])
    it(`${path} to ${JSON.stringify(value)}: ${effects.join(', ') || 'nothing'}`, () => {
      expect(effectsOf(EVERY_FIELD, path, value)).toEqual([...effects].sort());
    });

  for (const [path, value, ...effects] of OTHER_ROWS)
    it(`${path} to ${JSON.stringify(value)}: ${effects.join(', ')}, behind a Gateway`, () => {
      // `None` has no parentRef and no tls.
      const gone = path === 'proxy.expose.type';
      const changed = gone ? { ...EVERY_OTHER_FIELD, proxy: {} } : with_(EVERY_OTHER_FIELD, path, value);
      expect(effectsBetween(liveWebApp(EVERY_OTHER_FIELD), liveWebApp(changed))).toEqual([...effects].sort());
    });

  it('every field is in the table', () => {
    const known = [...ROWS, ...OTHER_ROWS].map(([path]) => path.replace(/\[[0-9]*\]/g, '[]'));
    expect([...new Set(known)].sort()).toEqual([...fieldsOf(specSchema(), '')].sort());
  });

  it('the restart annotation replaces every pod', () => {
    const restarted = { annotations: { 'webapp-operator.io/restartedAt': '2026-11-22T20:00:00Z' } };
    const after = liveWebApp(EVERY_FIELD, restarted);
    expect(effectsBetween(liveWebApp(EVERY_FIELD), after)).toEqual(['proxy pods', 'worker pods']);
  });

  it('labels, other annotations and the generation replaces none', () => {
    const after = liveWebApp(EVERY_FIELD, { annotations: { a: 'b' }, labels: { c: 'd' }, generation: 7 });
    expect(effectsBetween(liveWebApp(EVERY_FIELD), after)).toEqual([]);
  });
});

describe('what a version is made from', () => {
  const webApp = liveWebApp(EVERY_FIELD);
  const references = referencesOf(webApp).map(
    (one): Reference => ({
      ...one,
      state: 'present',
      hash: `hash of ${one.name}`,
      missingKeys: [],
    }),
  );

  it('counts the content that is referred to, in any order', () => {
    const before = workerInputs(inputOf(webApp), references);
    expect(workerInputs(inputOf(webApp), [...references].reverse())).toBe(before);
    for (let index = 0; index < references.length; index++) {
      const changed = references.map((one, i) => (i === index ? { ...one, hash: 'another' } : one));
      expect(workerInputs(inputOf(webApp), changed)).not.toBe(before);
    }
  });

  it('counts the operator only when asked to', () => {
    const newer = (input: ReturnType<typeof inputOf>) => ({
      ...input,
      settings: { ...input.settings, proxyImage: 'registry.example.com/proxy:2', drainDelayMs: 9000 },
    });
    const statics = [staticVersionOf('a')];
    const calm = inputOf(webApp);
    expect(workerInputs(newer(calm), references)).toBe(workerInputs(calm, references));
    expect(proxyInputs(newer(calm), statics)).toBe(proxyInputs(calm, statics));
    const eager = inputOf(liveWebApp({ ...EVERY_FIELD, rollout: { rollOnOperatorUpgrade: true } }));
    expect(workerInputs(newer(eager), references)).not.toBe(workerInputs(eager, references));
    expect(proxyInputs(newer(eager), statics)).not.toBe(proxyInputs(eager, statics));
  });

  it('the same hash from run to run', () => {
    expect(workerInputs(inputOf(liveWebApp()), [])).toBe('3aa99136abcce897');
    expect(proxyInputs(inputOf(liveWebApp()), [])).toBe('d6fdbe3946bf478b');
  });

  it('runtime: auto and what it stands for are the same', () => {
    const named = liveWebApp({ runtime: 'wsgi' });
    expect(workerInputs(inputOf(named), [])).toBe(workerInputs(inputOf(liveWebApp()), []));
  });
});

function effectsOf(spec: object, path: string, value: unknown): Effect[] {
  return effectsBetween(liveWebApp(spec), liveWebApp(with_(spec, path, value)));
}

function effectsBetween(before: LiveWebApp, after: LiveWebApp): Effect[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  // Nothing is in a template that its version is not made from.
  for (const pods of ['worker', 'proxy'] as const)
    if (old[`${pods} pods`] === now[`${pods} pods`]) expect(now[`${pods} template`]).toBe(old[`${pods} template`]);
  const effects = ['migration', 'objects', 'proxy pods', 'proxy.json', 'worker pods', 'worker.json'] as const;
  return effects.filter((effect) => old[effect] !== now[effect]);
}

function partsOf(webApp: LiveWebApp) {
  const input = inputOf(webApp);
  const statics = [staticVersionOf(webApp.spec.image)];
  const made = { inputs: 'i', number: 1, configHash: 'c' };
  const sample = inputOf(liveWebApp());
  const deployments = [
    renderWorkerDeployment(webApp, makeWorkerRevision(sample, made), {
      replicas: webApp.spec.replicas,
      migrated: undefined,
    }),
    renderProxyDeployment(webApp, makeProxyRevision(sample, [], made)),
  ];
  return {
    'worker pods': workerInputs(input, []),
    'proxy pods': proxyInputs(input, statics),
    'worker template': JSON.stringify(workerTemplate(input, '')),
    'proxy template': JSON.stringify(proxyTemplate(input, statics, '')),
    'worker.json': workerConfigOf(input).hash,
    'proxy.json': proxyConfigOf(input, statics).hash,
    objects: JSON.stringify(canonical([...renderBase(input), ...deployments])),
    migration: migrationKey(webApp),
  };
}

/** `a.b[0].c`; `*`: the first key; `[]`: the first element. */
function with_(spec: object, path: string, value: unknown): object {
  const changed = structuredClone(spec);
  const keys = path.replace(/\[([0-9]*)\]/g, '.$1').split('.');
  const last = keys.pop() ?? '';
  let at = changed as Record<string, unknown>;
  for (const key of keys) at = at[keyIn(at, key)] as Record<string, unknown>;
  at[keyIn(at, last)] = value;
  return changed;
}

function keyIn(at: object, key: string): string {
  return key === '*' || key === '' ? (Object.keys(at)[0] ?? '') : key;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-list-type'?: string;
}

function specSchema(): Schema {
  const crd = makeCrd() as unknown as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
  };
  const [version] = crd.spec.versions;
  if (version === undefined) throw new Error('the CRD has no version');
  return version.schema.openAPIV3Schema.properties.spec;
}

/** Leaves of the schema, as the table writes them. A list of texts that is replaced as a whole is a leaf. */
function* fieldsOf(schema: Schema, path: string): Generator<string> {
  if (Object.keys(schema.properties ?? {}).length > 0)
    for (const [name, inside] of Object.entries(schema.properties ?? {}))
      yield* fieldsOf(inside, path === '' ? name : `${path}.${name}`);
  else if (schema.items && (schema.items.properties || schema['x-kubernetes-list-type'] === 'set'))
    yield* fieldsOf(schema.items, `${path}[]`);
  else if (schema.additionalProperties) yield `${path}.*`;
  else yield path;
}
