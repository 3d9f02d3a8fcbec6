// The CRD before a real API server: what it takes, fills in, prunes and refuses, beside what validateWebApp says of the same manifest;
// and the words that a person gets from kubectl.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { makeCrd, makeSpecSchema, type StructuralSchema, type Validation } from '../../core/app/crd.ts';
import { validateWebApp } from '../../core/app/validate.ts';
import { until } from './control-plane.ts';
import { EVERY_FIELD, webApp } from './every-field.ts';
import { useCluster } from './fixture.ts';
import { type Change, wrongManifests } from './one-change.ts';
import { WRONG_SPECS } from './wrong-specs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cluster = useCluster();
const API = '/apis/webapp-operator.io/v1alpha1';
const webApps = (namespace = 'default'): string => `${API}/namespaces/${namespace}/webapps`;

interface WebAppObject {
  readonly metadata: { readonly name: string; readonly generation: number; readonly resourceVersion: string };
  readonly spec: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
}
interface Status {
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly message: string }[] };
}
interface Crd {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/** Asks what the API server would make of it, and makes nothing. */
const tried = (manifest: unknown, query = 'fieldValidation=Strict') =>
  cluster().api.call('POST', `${webApps()}?dryRun=All&${query}`, manifest);

beforeAll(async () => {
  await cluster().kubectlOk(['apply', '-f', `${root}manifests/crd.yaml`]);
  await until('API for WebApps', async () => (await cluster().api.call('GET', webApps())).status === 200);
}, 120_000);

describe('the schema', () => {
  test('is established and structural', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/webapps.webapp-operator.io';
    const { status } = await cluster().api.json<Crd>('GET', path);
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
    expect(status.conditions).not.toContainEqual(expect.objectContaining({ type: 'NonStructuralSchema' }));
  });

  const examples = parseAllDocuments(readFileSync(`${root}examples/webapp.yaml`, 'utf8')).map((one) => one.toJS());
  test.each<[string, unknown]>([
    ['three fields', webApp()],
    [
      'empty mappings',
      webApp({ workers: {}, proxy: { expose: {}, limits: {} }, rollout: {}, monitoring: {}, resources: {} }),
    ],
    ['nulls', webApp({ workers: null, health: null, replicas: null, proxy: { hosts: null, static: null } })],
    [
      'lists without defaults',
      webApp({ proxy: { static: [{ path: '/s', from: 's' }] }, volumes: [{ name: 'v', path: '/v', emptyDir: {} }] }),
    ],
    [
      'mappings that are optional',
      webApp({ health: { path: '/' }, autoscaling: { maxReplicas: 4 }, migrate: { command: ['x'] } }),
    ],
    [
      'an issuer without kind',
      webApp({ proxy: { hosts: ['a.example.com'], expose: { type: 'Ingress' }, tls: { issuerRef: { name: 'i' } } } }),
    ],
    ...EVERY_FIELD.map((manifest, index): [string, unknown] => [`every field, ${index + 1}`, manifest]),
    ...examples.map((manifest: unknown, index): [string, unknown] => [`examples/webapp.yaml, ${index + 1}`, manifest]),
  ])('gives %s the defaults that validation gives', async (_name, manifest) => {
    const answer = await tried(manifest);
    expect(answer.status, answer.text).toBe(201);
    expect((JSON.parse(answer.text) as WebAppObject).spec).toEqual(validateWebApp(manifest).webApp?.spec);
  });

  test('drops what it does not know, and keeps what a pod template holds', async () => {
    const template = { spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] } };
    const manifest = webApp({ oops: 1, workers: { timout: '3s' }, podTemplate: template });
    const { spec } = JSON.parse((await tried(manifest, 'fieldValidation=Ignore')).text) as WebAppObject;
    expect(spec).not.toHaveProperty('oops');
    expect(spec['workers']).not.toHaveProperty('timout');
    expect(spec['podTemplate']).toEqual(template);
  });
});

describe('what is wrong', () => {
  const changes = wrongManifests(makeSpecSchema());

  test('in one field, in any way, is refused by the API server and by validation, at that field', async () => {
    expect(changes.length).toBeGreaterThan(300);
    const judge = async ({ name, field, manifest }: Change): Promise<string[]> => {
      const theirs = (await causesOf(manifest)).map((cause) => cause.field);
      const ours = validateWebApp(manifest).problems.map((problem) => problem.field);
      return [
        ...(theirs.includes(field) ? [] : [`${name}: the API server blames ${theirs.join(', ') || 'nothing'}`]),
        ...(ours.includes(field) ? [] : [`${name}: validation blames ${ours.join(', ') || 'nothing'}`]),
      ];
    };
    const differences: string[] = [];
    for (let next = 0; next < changes.length; next += 16)
      differences.push(...(await Promise.all(changes.slice(next, next + 16).map(judge))).flat());
    expect(differences).toEqual([]);
  });

  test('in form is said with what to write', async () => {
    const forms = changes.filter(({ name }) => name.endsWith('of no right form'));
    expect(forms.length).toBeGreaterThan(40);
    const answers = await Promise.all(forms.map(async (one) => ({ ...one, causes: await causesOf(one.manifest) })));
    for (const { name, field, manifest, causes } of answers) {
      const mend = validateWebApp(manifest).problems.find((one) => one.field === field)?.mend ?? 'no mend';
      expect(causes.find((cause) => cause.field === field)?.message, name).toContain(mend);
    }
  });

  test('across fields is told by kubectl with field, value and mend, and refused by validation at the same field', async () => {
    const manifests = WRONG_SPECS.map(([, spec], index) => webApp(spec, `wrong-${index}`));
    const { code, stderr } = await applied(manifests);
    expect(code).toBe(1);
    const told = problemsByName(stderr);
    WRONG_SPECS.forEach(([name, spec, field, words], index) => {
      expect(told.get(`wrong-${index}`), name).toContain(`${field}: ${words}`);
      const ours = validateWebApp(webApp(spec)).problems.map((one) => one.field);
      expect(
        ours.some((one) => one.startsWith(plainField(field))),
        `${name}: ${ours.join()}`,
      ).toBe(true);
    });
  });

  test('by any rule is in the table above', () => {
    const rules = rulesBelow(makeSpecSchema()).filter(({ rule }) => !rule.startsWith('self.matches'));
    const told = WRONG_SPECS.map(([, , , words]) => words);
    // The rest of what the size rule is about stands in the test of large specs.
    const missing = [...new Set(rules.map(({ message }) => message.split('; ')[0] ?? ''))].filter(
      (message) => !message.startsWith('all values together') && !told.some((words) => words.includes(message)),
    );
    expect(missing).toEqual([]);
  });

  test.each([
    ['51 characters', 'a'.repeat(51)],
    ['63 characters', 'a'.repeat(63)],
    ['a digit first', '1shop'],
    ['a dot', 'shop.example'],
  ])('a name of %s is refused with the mend', async (_name, name) => {
    const { stderr } = await applied([webApp({}, name)]);
    expect(stderr).toContain(
      'metadata.name: Invalid value: must be at most 50 lower-case letters, digits and -, beginning with a letter',
    );
    expect(stderr).toContain('choose a shorter name: the names of Deployments and Services are made from it');
    expect(validateWebApp(webApp({}, name)).problems[0]?.field).toBe('metadata.name');
  });

  test.each<[string, object, string]>([
    ['one long text', { image: 'a'.repeat(2 ** 20) }, 'spec.image: Too long: may not be more than 512 bytes'],
    [
      'many long texts',
      { env: Array.from({ length: 40 }, (_, index) => ({ name: `A${index}`, value: 'a'.repeat(30_000) })) },
      'spec.env: Invalid value: all values together must have at most 262144 characters; put long values into a Secret or ConfigMap and name it in files',
    ],
    [
      'many items',
      { proxy: { hosts: Array.from({ length: 50_000 }, (_, index) => `a${index}.example.com`) } },
      'spec.proxy.hosts: Too many: 50000: must have at most 64 items',
    ],
  ])('a spec of a megabyte, %s, meets a bound', async (_name, spec, words) => {
    const { stderr } = await applied([webApp(spec)], '--server-side');
    expect(stderr).toContain(words);
    expect(validateWebApp(webApp(spec)).problems.length).toBe(1);
  });

  test('a field that does not exist is named', async () => {
    const { stderr } = await applied([webApp({ workers: { timout: '3s' } })], '--validate=strict');
    expect(stderr).toContain('unknown field "spec.workers.timout"');
  });

  async function causesOf(manifest: unknown): Promise<{ field: string; message: string }[]> {
    const { causes = [] } = (JSON.parse((await tried(manifest)).text) as Status).details ?? {};
    return causes.map(({ field, message }) => ({ field: plainField(field), message }));
  }

  /** Keys of mappings stand in brackets with the API server, behind a dot with us. */
  const plainField = (field: string): string => field.replaceAll(/\[([a-zA-Z][^\]]*)\]/g, '.$1');

  const applied = (manifests: readonly unknown[], ...flags: string[]) =>
    cluster().kubectl(['apply', '--dry-run=server', ...flags, '-f', '-'], {
      input: manifests.map((one) => stringify(one)).join('---\n'),
    });

  /** One line an object: `… WebApp… "NAME" is invalid: PROBLEM`, several in brackets. */
  function problemsByName(stderr: string): Map<string, string> {
    const lines = [...stderr.matchAll(/"([^"]+)" is invalid: (.*)$/gm)];
    return new Map(lines.map(([, name = '', problems = '']) => [name, problems]));
  }

  function rulesBelow(node: StructuralSchema): Validation[] {
    const children = [...Object.values(node.properties ?? {}), node.items, node.additionalProperties];
    return [
      ...(node['x-kubernetes-validations'] ?? []),
      ...children.flatMap((child) => (child ? rulesBelow(child) : [])),
    ];
  }
});

test('an object from before a rule may be changed elsewhere, and not made worse', async () => {
  const strict = makeCrd() as { spec: { versions: { schema: { openAPIV3Schema: StructuralSchema } }[] } };
  const loose = structuredClone(strict);
  const image = loose.spec.versions[0]?.schema.openAPIV3Schema.properties?.['spec']?.properties?.['image'];
  delete image?.['x-kubernetes-validations'];
  const install = (crd: object) => cluster().kubectlOk(['apply', '-f', '-'], { input: JSON.stringify(crd) });
  const namespace = await cluster().makeNamespace();
  const create = () => cluster().api.call('POST', webApps(namespace), webApp({ image: 'with space' }, 'old'));
  const patch = (spec: object) =>
    cluster().api.call('PATCH', `${webApps(namespace)}/old`, { spec }, 'application/merge-patch+json');

  await install(loose);
  await until('the looser schema', async () => (await create()).status !== 422);
  await install(strict);
  await until('the stricter schema', async () => (await tried(webApp({ image: 'with space' }))).status === 422);

  expect((await patch({ replicas: 5 })).status).toBe(200);
  expect((await patch({ image: 'another space' })).status).toBe(422);
  expect((await patch({ image: 'none' })).status).toBe(200);
});

describe('an object', () => {
  test('is shown by kubectl with what matters', async () => {
    const namespace = await cluster().makeNamespace();
    await created(namespace, 'shop');
    await patchStatus(namespace, 'shop', {
      state: 'Serving',
      image: 'shop:1',
      url: 'https://shop.example.com',
      revision: 'shop-7f9c',
      queue: 3,
      pods: { desired: 2, ready: 2, updated: 2, summary: '2/2' },
      workers: { desired: 12, ready: 12, summary: '12/12' },
      conditions: [condition('Ready', 'True')],
    });
    const [head = '', row = ''] = (await cluster().kubectlOk(['get', 'wa', '-o', 'wide', `-n=${namespace}`])).split(
      '\n',
    );
    expect(head.split(/\s+/)).toEqual([
      'NAME',
      'READY',
      'STATUS',
      'PODS',
      'WORKERS',
      'IMAGE',
      'URL',
      'AGE',
      'REVISION',
      'QUEUE',
    ]);
    expect(row.replace(/\s+\d+s\s+/, ' AGE ').split(/\s+/)).toEqual([
      'shop',
      'True',
      'Serving',
      '2/2',
      '12/12',
      'shop:1',
      'https://shop.example.com',
      'AGE',
      'shop-7f9c',
      '3',
    ]);
    expect(await cluster().kubectlOk(['get', 'all', `-n=${namespace}`])).toContain('webapp.webapp-operator.io/shop');
  });

  test('is scaled by kubectl scale', async () => {
    const namespace = await cluster().makeNamespace();
    await created(namespace, 'shop');
    await patchStatus(namespace, 'shop', { replicas: 2, selector: 'app.kubernetes.io/instance=shop' });
    await cluster().kubectlOk(['scale', 'webapp/shop', '--replicas=5', `-n=${namespace}`]);
    const scale = await cluster().api.json<{ spec: object; status: object }>('GET', `${webApps(namespace)}/shop/scale`);
    expect(scale.spec).toEqual({ replicas: 5 });
    expect(scale.status).toEqual({ replicas: 2, selector: 'app.kubernetes.io/instance=shop' });
    expect((await cluster().kubectl(['scale', 'webapp/shop', '--replicas=5000', `-n=${namespace}`])).stderr).toContain(
      'spec.replicas',
    );
  });

  test('has a status apart from its spec', async () => {
    const namespace = await cluster().makeNamespace();
    const made = await created(namespace, 'shop');
    const path = `${webApps(namespace)}/shop`;
    const both = { spec: { replicas: 7 }, status: { state: 'Serving' } };
    const ofSpec = await cluster().api.json<WebAppObject>('PATCH', path, both, 'application/merge-patch+json');
    expect(ofSpec.status).toBeUndefined();
    expect(ofSpec.metadata.generation).toBe(made.metadata.generation + 1);

    const other = { spec: { replicas: 9 }, status: { state: 'Serving' } };
    const ofStatus = await cluster().api.json<WebAppObject>(
      'PATCH',
      `${path}/status`,
      other,
      'application/merge-patch+json',
    );
    expect(ofStatus.spec['replicas']).toBe(7);
    expect(ofStatus.status).toEqual({ state: 'Serving' });
    expect(ofStatus.metadata.generation).toBe(ofSpec.metadata.generation);
  });

  test('has lists whose entries belong to whom applied them', async () => {
    const namespace = await cluster().makeNamespace();
    const path = `${webApps(namespace)}/shop`;
    const apply = async (manager: string, spec: object): Promise<WebAppObject> =>
      cluster().api.json(
        'PATCH',
        `${path}?fieldManager=${manager}&force=false`,
        webApp(spec),
        'application/apply-patch+yaml',
      );
    await apply('person', { env: [{ name: 'A', value: '1' }], proxy: { hosts: ['a.example.com'] } });
    await apply('robot', { env: [{ name: 'B', value: '2' }], proxy: { hosts: ['b.example.com'] } });
    const both = await apply('person', { env: [{ name: 'A', value: '3' }], proxy: { hosts: ['a.example.com'] } });
    expect(both.spec).toMatchObject({
      env: [
        { name: 'A', value: '3' },
        { name: 'B', value: '2' },
      ],
      proxy: { hosts: ['a.example.com', 'b.example.com'] },
    });
    const left = await apply('person', {});
    expect(left.spec).toMatchObject({ env: [{ name: 'B', value: '2' }], proxy: { hosts: ['b.example.com'] } });
  });

  async function created(namespace: string, name: string): Promise<WebAppObject> {
    return cluster().api.json('POST', webApps(namespace), webApp({}, name));
  }

  async function patchStatus(namespace: string, name: string, status: object): Promise<void> {
    await cluster().api.json(
      'PATCH',
      `${webApps(namespace)}/${name}/status`,
      { status },
      'application/merge-patch+json',
    );
  }

  const condition = (type: string, status: string): object => ({
    type,
    status,
    reason: 'Serving',
    message: 'all is well',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  });
});

describe('kubectl explain', () => {
  const explain = (...args: string[]) => cluster().kubectlOk(['explain', ...args]);

  test('describes every field, with its type', async () => {
    const { components } = await cluster().api.json<{ components: { schemas: Record<string, StructuralSchema> } }>(
      'GET',
      `/openapi/v3${API}`,
    );
    const published = Object.entries(components.schemas).find(([name]) => name.endsWith('.WebApp'))?.[1];
    const bare = Object.entries(published?.properties ?? {})
      .filter(([name]) => ['spec', 'status'].includes(name))
      .flatMap(([name, node]) => undescribed(node, name));
    expect(bare).toEqual([]);
  });

  test('reads like documentation', async () => {
    const workers = await explain('webapp.spec.workers');
    expect(workers).toMatch(/FIELD: workers <Object>/);
    expect(workers).toMatch(
      /DESCRIPTION:\s+The application processes\. Every field here changes in place: no pod\s+restarts\./,
    );
    expect(workers).toMatch(/timeout\s+<string>\s+Longest time one request may take in the application\./);
    expect(await explain('webapp.spec.runtime')).toMatch(
      /ENUM:\s+auto\s+wsgi\s+node\s+DESCRIPTION:\s+How the application is run\./,
    );
    expect(await explain('webapp.spec.proxy.static.path')).toContain(
      'Requests below this path are answered from the folder.',
    );
    expect(await explain('webapp')).toContain('A web application, served');
    // Of a number-or-text kubectl says <Object>: its description has to say what goes there.
    expect(await explain('webapp.spec.workers.processes')).toMatch(/A number of application processes .* or auto:/s);
    const all = await explain('webapp.spec', '--recursive');
    expect(all).toMatch(/image\t<string> -required-/);
    expect(all).toMatch(/maxRequests\t<Object>\n\s+count\t<integer> -required-/);
  });

  /** @returns fields that say nothing of themselves */
  function undescribed(node: StructuralSchema, path: string): string[] {
    const hasType = node.type !== undefined || node['x-kubernetes-int-or-string'];
    const own = node.description && hasType ? [] : [path];
    const item = node.type === 'array' ? node.items : node;
    return [
      ...own,
      ...Object.entries(item?.properties ?? {}).flatMap(([name, child]) => undescribed(child, `${path}.${name}`)),
    ];
  }
});
