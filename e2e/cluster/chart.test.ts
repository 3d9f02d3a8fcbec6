// charts/webapp-operator by real Helm, held to what manifests/ are made from, and its objects to a real API server.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type KubeObject, keyOf } from '../../kube/object.ts';
import { parseFlags } from '../../operator/flags.ts';
import { makeInstall } from '../../operator/install/install.ts';
import { NAME, NAMESPACE } from '../../operator/install/place.ts';
import manifest from '../../package.json' with { type: 'json' };
import { CHART, type Helm, makeHelm, type Values } from '../promises/helm.ts';
import { CHANGES, makeAllChanged, valuesOf } from './chart-changes.ts';
import { useCluster } from './fixture.ts';
import { installForeignApi } from './foreign-apis.ts';

const getCluster = useCluster({ controllers: true });
let helm: Helm;

beforeAll(async () => {
  helm = await makeHelm(getCluster().kubeconfig, getCluster().folder);
});

const MONITORING_APIS = ['ServiceMonitor', 'PrometheusRule'].flatMap((kind) => [
  '--api-versions',
  `monitoring.coreos.com/v1/${kind}`,
]);
const template = (values: Values = {}, ...more: string[]): Promise<string> =>
  helm.ok(['template', NAME, CHART, '--namespace', NAMESPACE, ...MONITORING_APIS, ...more], values);

const objectsOf = (yaml: string): KubeObject[] =>
  [...parseAllDocuments(yaml)].map((document) => document.toJS() as KubeObject | null).filter((one) => one !== null);
const nameOf = (object: KubeObject): string => `${object.kind} ${keyOf(object)}`;
const named = (objects: readonly KubeObject[]): Record<string, KubeObject> =>
  Object.fromEntries(objects.map((object) => [nameOf(object), object]));

describe('the chart and manifests/', () => {
  /** What the chart has and install.yaml does not: a way to `helm test`, and to scrape. */
  const OWN = [`Pod ${NAMESPACE}/${NAME}-test-ready`, `Service ${NAMESPACE}/${NAME}`];

  test.each([
    ['all namespaces', []],
    ['two', ['shop', 'blog']],
  ])('hold the same objects: %s', async (_, namespaces) => {
    const rendered = named(objectsOf(await template({ watchNamespaces: namespaces })));
    const install = makeInstall({ version: manifest.version, namespaces }).filter(({ kind }) => kind !== 'Namespace');
    const wanted = named(JSON.parse(JSON.stringify(install)) as KubeObject[]);
    expect(Object.keys(rendered).sort()).toEqual([...Object.keys(wanted), ...OWN].sort());
    for (const [name, object] of Object.entries(wanted))
      expect([name, withoutHelm(rendered[name] as KubeObject)]).toEqual([name, withoutHelm(object)]);
  });

  /** Helm's own labels, and what of a Deployment may be said in another order or left to a default. */
  function withoutHelm(object: KubeObject): unknown {
    const { labels, annotations, ...metadata } = object.metadata;
    const own = Object.entries(labels ?? {}).filter(([label]) => !HELMS.has(label));
    const { spec, ...rest } = object;
    const plain = { ...rest, metadata: { ...metadata, ...(own.length > 0 && { labels: Object.fromEntries(own) }) } };
    if (object.kind === 'CustomResourceDefinition') return { ...rest, metadata: { name: metadata.name }, spec };
    return object.kind === 'Deployment' ? { ...plain, spec: understood(spec as DeploymentSpec) } : { ...plain, spec };
  }

  const HELMS = new Set([
    'helm.sh/chart',
    'app.kubernetes.io/instance',
    'app.kubernetes.io/version',
    'app.kubernetes.io/managed-by',
  ]);

  interface DeploymentSpec {
    template: { spec: { containers: [{ args: string[]; env: { name: string }[] }] } };
  }

  function understood(spec: DeploymentSpec): DeploymentSpec {
    const copy = structuredClone(spec);
    const [container] = copy.template.spec.containers;
    container.env.sort((a, b) => a.name.localeCompare(b.name));
    return {
      ...copy,
      template: { ...copy.template, args: parseFlags(container.args.splice(0), manifest.version) },
    } as DeploymentSpec;
  }

  test('a Helm release has the operator’s version', () => {
    const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, unknown>;
    expect(chart).toMatchObject({ version: manifest.version, appVersion: manifest.version });
  });
});

describe('values', () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
  }

  const pathsOf = (schema: Schema, path: string): string[] =>
    schema.properties && Object.keys(schema.properties).length > 0
      ? Object.entries(schema.properties).flatMap(([name, child]) =>
          pathsOf(child, path === '' ? name : `${path}.${name}`),
        )
      : [path];

  test('every one that the schema knows is tried here, and none that it does not know', () => {
    const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
    // The parent chart's, not read by this one.
    expect(Object.keys(CHANGES).sort()).toEqual(
      pathsOf(schema, '')
        .filter((path) => path !== 'enabled')
        .sort(),
    );
  });

  test.each(Object.entries(CHANGES))('%s does something', async (path, change) => {
    const [without, changed] = await Promise.all([template(change.beside), template(valuesOf(path, change))]);
    expect(named(objectsOf(changed))).not.toEqual(named(objectsOf(without)));
  });

  const WRONG: readonly [field: string, values: Values][] = [
    ["'replica'", { replica: 3 }],
    ["'/replicas'", { replicas: 2.5 }],
    ["'/image/tag'", { image: { tag: 1.2 } }],
    ["'/image/digest'", { image: { digest: 'latest' } }],
    ["'/proxyImage'", { proxyImage: { pullPolicy: 'Always' } }],
    ["'/watchNamespaces/0'", { watchNamespaces: ['Shop'] }],
    ["'/watchNamespaces'", { watchNamespaces: ['shop', 'shop'] }],
    ["'/drainDelay'", { drainDelay: '5' }],
    ["'/crds/keep'", { crds: { keep: 'no' } }],
    ["'limit'", { resources: { limit: { memory: '1Gi' } } }],
    ["'/imagePullSecrets/0'", { imagePullSecrets: ['registry'] }],
    ["'/env/NODE_OPTIONS'", { env: { NODE_OPTIONS: 1 } }],
    ["'intervall'", { serviceMonitor: { intervall: '30s' } }],
    ["'/alerts/objective'", { alerts: { objective: 'three nines' } }],
    ["'/alerts/runbooks'", { alerts: { runbooks: 'wiki/' } }],
  ];
  test.each(WRONG)('%s: wrong or unknown, it is named and refused', async (field, values) => {
    const { code, stderr } = await helm.run(['template', NAME, CHART], values);
    expect([code, stderr]).toEqual([1, expect.stringContaining(field)]);
  });

  test('of the chart itself and of all of them changed pass `helm lint --strict`', async () => {
    await helm.ok(['lint', '--strict', CHART]);
    const changed = { ...makeAllChanged(), serviceMonitor: { enabled: false }, alerts: { enabled: false } };
    await helm.ok(['lint', '--strict', CHART], changed);
  });

  test('no limit at all is had by null, as in other charts', async () => {
    const objects = objectsOf(await template({ resources: { limits: null } }));
    const text = JSON.stringify(objects.find(({ kind }) => kind === 'Deployment'));
    expect(text).toContain('"resources":{"requests":{"cpu":"100m","memory":"128Mi"}}');
  });

  test('an image by digest, behind a registry of all, of one', async () => {
    const images = async (values: Values) =>
      [...(await template(values)).matchAll(/(?:image: "|--proxy-image=)([^"]+)"/g)].map(([, image]) => image);
    const { version } = manifest;
    const operator = (image: string) => [image, image];
    expect(
      await images({ global: { imageRegistry: 'a.example/x/' }, proxyImage: { registry: 'b.example:5000' } }),
    ).toEqual(
      expect.arrayContaining([
        ...operator(`a.example/x/webapp-operator:${version}`),
        `b.example:5000/webapp-proxy:${version}`,
      ]),
    );
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(await images({ image: { tag: '1', digest } })).toContain(`webapp-operator@${digest}`);
  });
});

describe('as a part of something larger', () => {
  test('a chart that depends on it gives it values, a condition and what all its charts share', async () => {
    const parent = join(getCluster().folder, 'parent');
    cpSync(CHART, join(parent, 'charts/webapp-operator'), { recursive: true });
    const dependencies = [{ name: NAME, version: manifest.version, condition: `${NAME}.enabled` }];
    writeFileSync(
      join(parent, 'Chart.yaml'),
      stringify({ apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies }),
    );
    const render = async (own: Values): Promise<string> =>
      helm.ok(['template', 'shop', parent], { global: { team: 'web', imageRegistry: 'a.example' }, [NAME]: own });
    expect(await render({ enabled: true, replicas: 3 })).toMatch(
      /replicas: 3[\s\S]*image: "a\.example\/webapp-operator:/,
    );
    expect(objectsOf(await render({ enabled: false }))).toEqual([]);
  });

  test('labels of others do not come in the way of those by which pods are selected', async () => {
    const other = { 'app.kubernetes.io/name': 'other', 'app.kubernetes.io/component': 'other' };
    const objects = objectsOf(await template({ commonLabels: other, podLabels: other }));
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    const labels = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/component': 'operator' };
    expect(deployment).toMatchObject({
      metadata: { labels },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } },
    });
  });
});

describe('on a real API server', () => {
  const dryRun = async (yaml: string): Promise<void> => {
    const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
    const { code, stdout, stderr } = await getCluster().kubectl(args, { input: yaml });
    // Warnings, such as those of pod security, come on stderr.
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(objectsOf(yaml).length);
  };

  beforeAll(async () => {
    const restricted = {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    for (const [name, labels] of Object.entries({ [NAMESPACE]: restricted, shop: {}, blog: {} })) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
      await getCluster().kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(namespace) });
    }
  });

  const MONITORING: readonly [string, Values][] = [
    ['ServiceMonitor', { serviceMonitor: { enabled: true } }],
    ['PrometheusRule', { alerts: { enabled: true } }],
  ];

  test.each(MONITORING)('a %s where there is no such API is refused, with what to do', async (_, values) => {
    const args = ['install', NAME, CHART, '--namespace', NAMESPACE, '--dry-run=server'];
    const { code, stderr } = await helm.run(args, values);
    expect([code, stderr]).toEqual([1, expect.stringContaining('install the Prometheus operator first')]);
  });

  test('they are taken where there is one', async () => {
    await installForeignApi(getCluster(), 'prometheus-operator');
    const args = ['install', NAME, CHART, '--namespace', NAMESPACE, '--dry-run=server'];
    for (const [kind, values] of MONITORING) expect(await helm.ok(args, values)).toContain(`kind: ${kind}`);
  });

  test.each<[string, Values]>([
    ['none', {}],
    ['single namespaces', { watchNamespaces: ['shop', 'blog'], crds: { enabled: false }, rbac: { people: false } }],
    ['all', makeAllChanged()],
  ])('every object is taken, strictly and under restricted pod security; values changed: %s', async (_, values) => {
    const yaml = await template(values);
    // No pod is taken before its PriorityClass is there.
    const first = objectsOf(yaml).filter(({ kind }) => kind === 'PriorityClass');
    for (const one of first)
      await getCluster().kubectlOk(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(one) });
    await dryRun(yaml);
  });
});
