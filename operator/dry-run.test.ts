import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ParsedWebApp, parseWebApps } from '../core/app/manifest-file.ts';
import { ProblemsError } from '../core/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import { dryRun } from './dry-run.ts';
import { SAMPLES, sampleYaml } from './install/samples.ts';
import { OPTIONAL_KINDS, type OptionalKind } from './webapp/kinds.ts';
import { ANNOTATION } from './webapp/names.ts';
import type { LiveWebApp } from './webapp/observed.ts';
import { planWebApp } from './webapp/plan/plan.ts';

const SETTINGS = { proxyImage: 'webapp-proxy:1', clusterDomain: 'cluster.local', drainDelayMs: 5_000 };
const print = (text: string) => dryRun(text, SETTINGS).yaml;
const objects = (yaml: string) => [...parseAllDocuments(yaml)].map((document) => document.toJS() as KubeObject);
const sample = (name: string) => sampleYaml(SAMPLES[name] ?? { about: '', webApps: [] });

test('a minimal WebApp: all its children, in the order in which they can be applied', () => {
  const yaml = print(sample('minimal.yaml'));
  const made = objects(yaml).map(({ kind, metadata: { name } }) => `${kind} ${name}`);
  const short = made.map((one) => one.replace(/-[0-9a-f]{10}$/, '-R'));
  expect(short).toEqual([
    'ServiceAccount shop-worker',
    'ServiceAccount shop-proxy',
    'Role shop-proxy',
    'RoleBinding shop-proxy',
    'NetworkPolicy shop-proxy',
    'NetworkPolicy shop-worker',
    'Service shop',
    'Service shop-workers',
    'PodDisruptionBudget shop-worker',
    'PodDisruptionBudget shop-proxy',
    'ControllerRevision shop-worker-R',
    'ControllerRevision shop-proxy-R',
    'ConfigMap shop-worker-R',
    'ConfigMap shop-proxy',
    'Deployment shop-proxy',
    'Deployment shop-worker',
  ]);
  expect(yaml.split('\n').filter((line) => line.startsWith('#'))).toEqual(
    made.map((one) => `# WebApp default/shop: ${one}`),
  );
});

test.each(Object.keys(SAMPLES))('%s: nobody owns what is printed, and each stands in its namespace', (name) => {
  for (const { kind, metadata } of objects(print(sample(name)))) {
    expect([kind, metadata.namespace, metadata.ownerReferences]).toEqual([kind, 'default', undefined]);
  }
});

test('every optional API is taken to be there, and a migration comes before the pods', () => {
  const kinds = objects(print(sample('every-field.yaml'))).map(({ kind }) => kind);
  const optional = Object.keys(OPTIONAL_KINDS).filter((kind) => kind !== 'PodMonitor');
  expect(kinds).toEqual(expect.arrayContaining([...optional, 'HorizontalPodAutoscaler', 'Ingress']));
  expect(kinds.indexOf('Job')).toBeLessThan(kinds.indexOf('Deployment'));
});

test('a version is named after content that is not known here: said where it is so', () => {
  expect(print(sample('migrate.yaml'))).toMatch(/^# The worker's revision is another .* Secret\/shop-database as well/);
  expect(print(sample('minimal.yaml'))).not.toContain('another');
});

test('several WebApps of a file in their namespaces, other objects named and passed over', () => {
  const other = sample('node.yaml').replace('name: express-shop', 'name: express-shop\n  namespace: node');
  const yaml = print(`${sample('minimal.yaml')}---\n${other}---\napiVersion: v1\nkind: Secret\nmetadata: {name: x}\n`);
  expect(yaml).toMatch(/^# Not looked at: Secret\/x\n/);
  expect(new Set(objects(yaml).map(({ metadata: { namespace } }) => namespace))).toEqual(new Set(['default', 'node']));
});

test('all that is wrong with a file is told', () => {
  const broken = sample('minimal.yaml').replace('image:', 'imgae:').replace('app: shop:app', 'app: 7');
  try {
    print(broken);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemsError);
    expect((error as ProblemsError).problems.map(({ field }) => field)).toEqual([
      'spec.app',
      'spec.image',
      'spec.imgae',
    ]);
  }
});

/** Samples that refer to no Secret, whose versions are named the same with and without a cluster. */
test.each(['minimal.yaml', 'node.yaml', 'ingress.yaml', 'httproute.yaml', 'autoscaling.yaml'])(
  '%s: what is printed is what the first pass applies',
  (name) => {
    const [parsed] = parseWebApps(sample(name)).webApps;
    const { metadata, ...rest } = (parsed as ParsedWebApp).webApp;
    const webApp: LiveWebApp = {
      ...rest,
      metadata: { name: metadata.name, namespace: 'default', uid: 'u', generation: 1 },
    };
    const apis = new Set(Object.keys(OPTIONAL_KINDS) as OptionalKind[]);
    const empty = { invalid: [], children: [], pods: [], references: [], reports: [] };
    const { changes } = planWebApp({ ...empty, webApp, apis, settings: SETTINGS }, 0);
    const printed = objects(print(sample(name)));
    const applied = changes.flatMap((change) => (change.verb === 'apply' ? [withoutMarks(change.object)] : []));
    expect(applied.length).toBeGreaterThan(10);
    for (const object of applied) expect(printed).toContainEqual(object);
    const later = printed.filter(
      (object) => !applied.some((one) => one.kind === object.kind && one.metadata.name === object.metadata.name),
    );
    // The proxies get the static files first.
    expect(
      later
        .map(({ kind, metadata: { name } }) => `${kind} ${name}`)
        .filter((one) => !one.includes('express-shop-worker')),
    ).toEqual([]);
  },
);

/** Owner and hash of the intent. */
function withoutMarks({ metadata, ...object }: KubeObject): KubeObject {
  const { ownerReferences: _, annotations = {}, ...more } = metadata;
  const { [ANNOTATION.intent]: hash, ...others } = annotations;
  expect(hash).toBeDefined();
  return {
    ...object,
    metadata: { ...more, ...(Object.keys(others).length > 0 && { annotations: others }) },
  } as KubeObject;
}

test('texts that are numbers or booleans to kubectl stay texts', () => {
  const words = ['yes', 'on', 'n', '0777', '1_000', '12:30:45', '1e3', 'null', '~', '2026-01-01'];
  const env = words.map((value, index) => `    - {name: V${index}, value: ${JSON.stringify(value)}}\n`).join('');
  const yaml = print(sample('minimal.yaml').replace('  app: shop:app\n', `  app: shop:app\n  env:\n${env}`));
  for (const version of ['1.1', '1.2'] as const) {
    const made = [...parseAllDocuments(yaml, { version })].map((document) => document.toJS() as KubeObject);
    const text = JSON.stringify(
      made.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'shop-worker'),
    );
    for (const word of words) expect(text).toContain(`"value":${JSON.stringify(word)}`);
  }
});

test('the same file gives the same text', () => {
  expect(print(sample('every-field.yaml'))).toBe(print(sample('every-field.yaml')));
});
