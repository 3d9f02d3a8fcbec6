// What the renderers make, on a real API server: taken as it is, read back without a difference, applied again without a write, and its pods
// admitted where pod security `restricted` is enforced. Without controllers: nothing but the API server's own defaults is at work.

import { beforeAll, describe, expect, test } from 'vitest';
import { findDrift, withIntentHash } from '../../kube/drift.ts';
import { type KubeObject, pathOf, type Resource } from '../../kube/object.ts';
import { KINDS, OPTIONAL_KINDS, POD } from '../../operator/webapp/kinds.ts';
import { ANNOTATION, FIELD_MANAGER } from '../../operator/webapp/names.ts';
import type { LiveWebApp } from '../../operator/webapp/observed.ts';
import {
  makeProxyRevision,
  makeWorkerRevision,
  migrationKey,
  proxyConfigOf,
  renderBase,
  renderControllerRevision,
  renderMigrateJob,
  renderProxyConfigMap,
  renderProxyDeployment,
  renderWorkerConfigMap,
  renderWorkerDeployment,
  staticVersionOf,
  workerConfigFor,
  workerConfigOf,
} from '../../operator/webapp/render/render.ts';
import { EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp } from '../../operator/webapp/render/testing/samples.ts';
import { parseRevision, type Revision } from '../../operator/webapp/revision.ts';
import { untilEstablished } from '../cluster/established.ts';
import { useCluster } from '../cluster/fixture.ts';

const LONG_NAME = 'a'.repeat(50);
const cluster = useCluster();

/** Shapes that people write and the server writes otherwise. */
const AWKWARD = {
  resources: {
    requests: { cpu: 1, memory: '1024Mi', 'ephemeral-storage': '1.5Gi' },
    limits: { cpu: '1000m', memory: '2048Mi' },
  },
  env: [{ name: 'EMPTY', value: '' }, { name: 'UNSAID' }],
  volumes: [
    { name: 'a', path: '/tmp', emptyDir: { sizeLimit: '1024Mi' } },
    { name: 'b', path: '/b', emptyDir: { sizeLimit: 1048576 } },
  ],
  access: { from: [{ namespaceSelector: {} }, { podSelector: { matchLabels: {} } }] },
  rollout: { maxSurge: '100%' },
  autoscaling: { maxReplicas: 3, memoryPercent: 50 },
  migrate: { command: ['true'] },
  proxy: {
    expose: { type: 'LoadBalancer', className: 'example.com', annotations: { a: 'b' } },
    hosts: ['a.example.com'],
  },
  podTemplate: {
    metadata: { creationTimestamp: null, labels: {} },
    spec: {
      hostNetwork: false,
      nodeSelector: {},
      securityContext: { supplementalGroups: [] },
      containers: [
        {
          name: 'app',
          resources: { requests: { cpu: '0.25' } },
          livenessProbe: { initialDelaySeconds: 0, httpGet: { scheme: 'HTTP' } },
          ports: [{ containerPort: 8000, protocol: 'UDP', name: 'quic' }],
          env: [{ name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }],
        },
      ],
      initContainers: [
        {
          name: 'mesh',
          image: 'mesh:1',
          restartPolicy: 'Always',
          stdin: false,
          args: [],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }],
          },
        },
      },
      volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
    },
  },
};

describe.each([
  ['three fields', {}, {}],
  ['every field', EVERY_FIELD, {}],
  ['the other fields', EVERY_OTHER_FIELD, {}],
  ['awkward shapes', AWKWARD, {}],
  ['the longest name', { migrate: EVERY_FIELD.migrate, autoscaling: EVERY_FIELD.autoscaling }, { name: LONG_NAME }],
  ['scaled to none', { replicas: 0, suspend: true }, {}],
])('a WebApp of %s', (_name, spec, metadata) => {
  let webApp: LiveWebApp;
  beforeAll(async () => {
    await Promise.all(Object.values(OPTIONAL_KINDS).map(makeCrdOf));
    const namespace = await cluster().makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    webApp = liveWebApp(spec, { namespace, ...metadata });
    await makeServiceAccount(namespace, 'shop');
  });

  test('is taken, and settles at once', async () => {
    for (const object of renderAll(webApp)) {
      const desired = withIntentHash(object, ANNOTATION.intent);
      const applied = await apply(desired);
      const read = await get(object);
      expect([object.kind, findDrift(desired, read)]).toEqual([object.kind, undefined]);
      expect([object.kind, (await apply(desired)).metadata.resourceVersion]).toEqual([
        object.kind,
        applied.metadata.resourceVersion,
      ]);
    }
  });

  test('is the same text when its versions are read back', async () => {
    for (const revision of revisionsOf(webApp)) {
      const read = parseRevision(await get(renderControllerRevision(webApp, revision)));
      expect(read).toEqual(revision);
      expect(read && JSON.stringify(deploymentOf(webApp, read))).toBe(JSON.stringify(deploymentOf(webApp, revision)));
    }
  });

  test('has pods that are admitted', async () => {
    for (const template of podTemplatesOf(webApp)) {
      const { status, text } = await tryPod(webApp, template);
      expect(status, text).toBe(201);
    }
    const careless = {
      metadata: {},
      spec: { containers: [{ name: 'app', image: 'shop' }], serviceAccountName: 'shop' },
    };
    expect((await tryPod(webApp, careless)).status).toBe(403);
  });
});

test('a hand edit is found, and what others own is not', async () => {
  const namespace = await cluster().makeNamespace();
  const webApp = liveWebApp({}, { namespace });
  const desired = renderAll(webApp).map((object) => withIntentHash(object, ANNOTATION.intent));
  for (const object of desired) await apply(object);
  const edits: readonly [string, string, object, string | undefined][] = [
    ['Deployment', 'shop-worker', { spec: { replicas: 7 } }, 'spec.replicas'],
    ['Deployment', 'shop-proxy', { metadata: { annotations: { mine: 'yes' } } }, undefined],
    ['Service', 'shop', { spec: { sessionAffinity: 'ClientIP' } }, undefined],
    ['Service', 'shop', { spec: { selector: { more: 'x' } } }, 'spec.selector.more'],
    ['Role', 'shop-proxy', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }, 'rules[0].apiGroups[0]'],
    ['NetworkPolicy', 'shop-worker', { spec: { ingress: [{}] } }, 'spec.ingress'],
    ['ServiceAccount', 'shop-worker', { automountServiceAccountToken: null }, 'automountServiceAccountToken'],
    ['ConfigMap', 'shop-proxy', { data: { 'proxy.json': '{}' } }, 'data.proxy.json'],
  ];
  for (const [kind, name, patch, path] of edits) {
    const object = desired.find((one) => one.kind === kind && one.metadata.name === name);
    if (object === undefined) throw new Error(`there is no ${kind} ${name}`);
    await cluster().api.json('PATCH', objectPath(object), patch, 'application/merge-patch+json');
    expect([kind, findDrift(object, await get(object))]).toEqual([kind, path]);
    expect([kind, findDrift(object, await apply(object))]).toEqual([kind, undefined]);
  }
});

function revisionsOf(webApp: LiveWebApp): [Revision, Revision] {
  const input = inputOf(webApp);
  const made = { inputs: 'inputs', number: 1, configHash: 'hash' };
  return [makeWorkerRevision(input, made), makeProxyRevision(input, staticsOf(webApp), made)];
}

function staticsOf(webApp: LiveWebApp) {
  return [webApp.spec.image, 'registry.example.com/shop:0'].map(staticVersionOf);
}

function deploymentOf(webApp: LiveWebApp, revision: Revision): KubeObject {
  const replicas = webApp.spec.autoscaling ? undefined : webApp.spec.replicas;
  return revision.component === 'worker'
    ? renderWorkerDeployment(webApp, revision, { replicas, migrated: migrationKey(webApp) })
    : renderProxyDeployment(webApp, revision);
}

function renderAll(webApp: LiveWebApp): KubeObject[] {
  const input = inputOf(webApp);
  const [worker, proxy] = revisionsOf(webApp);
  const key = migrationKey(webApp);
  return [
    ...renderBase(input),
    renderWorkerConfigMap(webApp, worker, workerConfigFor(workerConfigOf(input), worker)),
    renderProxyConfigMap(webApp, proxyConfigOf(input, staticsOf(webApp))),
    ...[worker, proxy].flatMap((revision) => [
      renderControllerRevision(webApp, revision),
      deploymentOf(webApp, revision),
    ]),
    ...(key === undefined ? [] : [renderMigrateJob(input, key)]),
  ];
}

interface Template {
  readonly metadata: object;
  readonly spec: object;
}

function podTemplatesOf(webApp: LiveWebApp): Template[] {
  return renderAll(webApp)
    .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
    .map(({ spec }) => (spec as { template: Template }).template);
}

function tryPod(webApp: LiveWebApp, { metadata, spec }: Template) {
  const path = `${pathOf(POD, { namespace: webApp.metadata.namespace })}?dryRun=All&fieldValidation=Strict`;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, generateName: 'try-' }, spec };
  return cluster().api.call('POST', path, pod);
}

function resourceOf(object: KubeObject): Resource {
  const resource = Object.values(KINDS).find(({ kind }) => kind === object.kind);
  if (resource === undefined) throw new Error(`kinds.ts does not know ${object.kind}`);
  return resource;
}

function objectPath(object: KubeObject): string {
  return pathOf(resourceOf(object), object.metadata);
}

const get = (object: KubeObject): Promise<KubeObject> => cluster().api.json('GET', objectPath(object));

/** Strict: a field that the API does not know is an error, and would be one for the operator too. */
function apply(object: KubeObject): Promise<KubeObject> {
  const query = `?fieldManager=${FIELD_MANAGER}&force=true&fieldValidation=Strict`;
  return cluster().api.json('PATCH', objectPath(object) + query, object, 'application/apply-patch+yaml');
}

async function makeServiceAccount(namespace: string, name: string): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  await cluster().api.json('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
}

/** Any content: the schemas of Gateway API, cert-manager and the Prometheus operator are not here. */
async function makeCrdOf({ group, version, kind, plural }: Resource): Promise<void> {
  const name = `${plural}.${group}`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    // Groups below k8s.io want to be told that this is not theirs.
    metadata: { name, annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
  await cluster().kubectlOk(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(crd) });
  await untilEstablished(cluster().kubectlOk, `crd/${name}`);
}
