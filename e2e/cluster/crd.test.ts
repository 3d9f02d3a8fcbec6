// The CRD before a real API server: what it takes, fills in, prunes and refuses, beside what validateWebApp says of the same manifest;
// and the words that a person gets from kubectl.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { makeSpecSchema, type StructuralSchema, type Validation } from '../../core/app/crd.ts';
import { validateWebApp } from '../../core/app/validate.ts';
import { EVERY_FIELD, webApp } from './every-field.ts';
import { useCluster } from './fixture.ts';
import { type Change, wrongManifests } from './one-change.ts';
import { installCrd, root, tryWebApp, type WebAppObject } from './webapp-api.ts';
import { WRONG_SPECS } from './wrong-specs.ts';

const cluster = useCluster();

interface Status {
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly message: string }[] };
}
interface Crd {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

beforeAll(() => installCrd(cluster()), 120_000);

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
    const answer = await tryWebApp(cluster(), manifest);
    expect(answer.status, answer.text).toBe(201);
    expect((JSON.parse(answer.text) as WebAppObject).spec).toEqual(validateWebApp(manifest).webApp?.spec);
  });

  test('drops what it does not know, and keeps what a pod template holds', async () => {
    const template = { spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] } };
    const manifest = webApp({ oops: 1, workers: { timout: '3s' }, podTemplate: template });
    const { spec } = JSON.parse((await tryWebApp(cluster(), manifest, 'fieldValidation=Ignore')).text) as WebAppObject;
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
      `spec.proxy.hosts: Too many: 50000: must have at most ${makeSpecSchema().properties?.['proxy']?.properties?.['hosts']?.maxItems} items`,
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
    const { causes = [] } = (JSON.parse((await tryWebApp(cluster(), manifest)).text) as Status).details ?? {};
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
