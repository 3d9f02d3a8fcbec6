// WebApps that a real API server keeps: their columns, subresources, owners of fields, older forms, and what kubectl explain says of them.
import { beforeAll, describe, expect, test } from 'vitest';
import { makeCrd, type StructuralSchema } from '../../core/app/crd.ts';
import { until } from './control-plane.ts';
import { webApp } from './every-field.ts';
import { useCluster } from './fixture.ts';
import { API, installCrd, tryWebApp, type WebAppObject, webApps } from './webapp-api.ts';

const cluster = useCluster();
beforeAll(() => installCrd(cluster()), 120_000);

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
  await until('the looser schema', async () => (await create()).status === 201);
  await install(strict);
  await until(
    'the stricter schema',
    async () => (await tryWebApp(cluster(), webApp({ image: 'with space' }))).status === 422,
  );

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
