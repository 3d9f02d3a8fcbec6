import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { makeProxyConfig, proxyConfigSchema } from '../config/proxy.ts';
import { makeWorkerConfig, resolveRuntime, workerConfigSchema } from '../config/worker.ts';
import { makeSpecSchema, type StructuralSchema } from './crd.ts';
import { parseWebApps } from './manifest-file.ts';
import { rulesOf, withRules } from './rules.ts';
import { type WebApp, webAppSchema } from './schema.ts';
import { unwrap, validateWebApp } from './validate.ts';

const webApp = (spec: object = {}): object => ({
  apiVersion: 'webapp-operator.io/v1alpha1',
  kind: 'WebApp',
  metadata: { name: 'shop' },
  spec: { image: 'shop:1', app: 'shop:app', ...spec },
});
const parsed = (spec: object = {}): WebApp => {
  const { webApp: value, problems } = validateWebApp(webApp(spec));
  expect(problems).toEqual([]);
  return value as WebApp;
};
const fieldsOf = (value: unknown): string[] => validateWebApp(value).problems.map((problem) => problem.field);

describe('validation', () => {
  test('three fields make a working app', () => {
    const { spec } = parsed();
    expect(spec.workers).toEqual({
      processes: 'auto',
      timeout: '30s',
      gracefulTimeout: '30s',
      preload: false,
      queue: { max: 500, timeout: '10s' },
    });
    expect(spec.proxy.limits.body).toBe('10Mi');
  });

  test.each<[string, object, string[]]>([
    ['a missing field', { app: undefined }, ['spec.app']],
    ['a wrong type', { env: [{ name: 'A', value: 5 }] }, ['spec.env[0].value']],
    ['an unknown field', { workers: { timout: '3s' } }, ['spec.workers.timout']],
    ['a field in the wrong place', { processes: 3 }, ['spec.processes']],
    ['a number out of bounds', { workers: { processes: 0 } }, ['spec.workers.processes']],
    ['a word that is not auto', { workers: { processes: 'many' } }, ['spec.workers.processes']],
    ['a zero timeout', { workers: { timeout: '0s' } }, ['spec.workers.timeout']],
    ['a timeout that no timer holds', { workers: { timeout: '25h' } }, ['spec.workers.timeout']],
    ['jitter above count', { workers: { maxRequests: { count: 5, jitter: 9 } } }, ['spec.workers.maxRequests.jitter']],
    ['a list key twice', { env: [{ name: 'A' }, { name: 'A' }] }, ['spec.env[1].name']],
    ['a folder outside', { proxy: { static: [{ path: '/s', from: 'a/../../b' }] } }, ['spec.proxy.static[0].from']],
    ['an absolute folder', { proxy: { static: [{ path: '/s', from: '/etc' }] } }, ['spec.proxy.static[0].from']],
    ['a health path without /', { health: { path: 'ok' } }, ['spec.health.path']],
    ['a size with a wrong unit', { proxy: { limits: { body: '10MB' } } }, ['spec.proxy.limits.body']],
  ])('%s is one problem, at its field', (_name, spec, fields) => {
    expect(fieldsOf(webApp(spec))).toEqual(fields);
  });

  test('a null is a default, save in a pod template, where it removes something', () => {
    const { spec } = parsed({
      runtime: null,
      podTemplate: { spec: { containers: [{ name: 'app', lifecycle: null }] } },
    });
    expect(spec.runtime).toBe('auto');
    expect(spec.podTemplate).toEqual({ spec: { containers: [{ name: 'app', lifecycle: null }] } });
  });

  test('all problems are told, not the first', () => {
    const spec = {
      app: undefined,
      workers: { timeout: '0s', processes: 'x', oops: 1 },
      env: [{ name: 'A' }, { name: 'A' }],
    };
    expect(fieldsOf(webApp(spec))).toEqual([
      'spec.app',
      'spec.env[1].name',
      'spec.workers.oops',
      'spec.workers.processes',
      'spec.workers.timeout',
    ]);
  });

  test('every problem says how to mend it', () => {
    const { problems } = validateWebApp({
      kind: 'WebApp',
      metadata: {},
      spec: { workers: { threads: 'x', timeout: 3 } },
    });
    expect(problems.length).toBeGreaterThan(4);
    for (const problem of problems) expect(problem.mend, problem.field).not.toBe('');
    expect(problems.find((problem) => problem.field === 'spec.workers.threads')).toMatchObject({
      value: '"x"',
      message: 'must be a number, not text',
      mend: 'write a number from 1 to 1024',
    });
  });

  test('a key with nothing behind it takes its default, as the API server has it', () => {
    expect(parsed({ workers: null, env: null }).spec.workers.timeout).toBe('30s');
  });

  test.each([null, 5, 'x', [], [1], { spec: [] }, { __proto__: null }])('%j is refused, not a crash', (value) => {
    expect(validateWebApp(value).problems.length).toBeGreaterThan(0);
  });
});

describe('a file', () => {
  const yaml = (name: string, more = ''): string =>
    `apiVersion: webapp-operator.io/v1alpha1\nkind: WebApp\nmetadata:\n  name: ${name}\nspec:\n  image: x\n  app: a:b\n${more}`;

  test('may hold several WebApps and other objects', () => {
    const { webApps, problems, ignored } = parseWebApps(
      `${yaml('a')}---\nkind: Secret\napiVersion: v1\nmetadata: {name: s}\n---\n${yaml('b')}`,
    );
    expect(problems).toEqual([]);
    expect(webApps.map(({ webApp: { metadata }, line }) => [metadata.name, line])).toEqual([
      ['a', 1],
      ['b', 13],
    ]);
    expect(ignored).toEqual(['Secret/s']);
  });

  test('may hold a List', () => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [webApp()] });
    expect(parseWebApps(text).webApps).toHaveLength(1);
  });

  test('has its problems told with their lines', () => {
    const { problems } = parseWebApps(`${yaml('a')}---\n${yaml('b', '  workers:\n    processes: none\n')}`);
    expect(problems).toMatchObject([{ field: 'spec.workers.processes', line: 17 }]);
  });

  test.each([
    ['nothing', '', 'no WebApp in it'],
    ['only others', 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n', 'no WebApp in it, only Pod/p'],
    ['broken YAML', 'a: [1\n', 'not valid YAML'],
    ['the same name twice', `${yaml('a')}---\n${yaml('a')}`, 'stands at line 1 already'],
    [
      'a billion laughs',
      `a: &a [x,x]\n${'bcdefgh'
        .split('')
        .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
        .join('\n')}\n`,
      'alias',
    ],
  ])('with %s is one clear problem', (_name, text, message) => {
    const { problems } = parseWebApps(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(message);
  });
});

describe('the CRD', () => {
  const nodes = (schema: StructuralSchema, path = 'spec'): [string, StructuralSchema][] => [
    [path, schema],
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => nodes(child, `${path}.${name}`)),
    ...(schema.items ? nodes(schema.items, `${path}[]`) : []),
    ...(schema.additionalProperties ? nodes(schema.additionalProperties, `${path}.*`) : []),
  ];

  test('says what validation says: every rule and every pattern of the schema is there, as CEL', () => {
    const below = (node: z.core.$ZodType): z.core.$ZodType[] => {
      if (node instanceof z.ZodObject) return Object.values(node.shape) as z.core.$ZodType[];
      if (node instanceof z.ZodArray) return [node.element as z.core.$ZodType];
      return node instanceof z.ZodRecord ? [node.valueType as z.core.$ZodType] : [];
    };
    const count = (schema: z.core.$ZodType): number => {
      const node = unwrap(schema);
      const checks = node instanceof z.ZodString ? (node.def.checks ?? []) : [];
      const patterns = checks.filter((check) => check._zod.def.check === 'string_format').length;
      return rulesOf(node).length + patterns + below(node).reduce((sum, child) => sum + count(child), 0);
    };
    const written = nodes(makeSpecSchema()).flatMap(([, schema]) => schema['x-kubernetes-validations'] ?? []);
    expect(written).toHaveLength(count(webAppSchema.shape.spec));
    expect(written.length).toBeGreaterThan(60);
  });

  test('rules on a default would be lost, and are refused', () => {
    const rule = { cel: 'true', holds: () => true, message: 'must be so', mend: 'make it so' };
    expect(() => withRules(z.object({}).prefault({}), rule)).toThrow('must be so');
    expect(rulesOf(withRules(z.object({}), rule).describe('described'))).toHaveLength(1);
  });

  test('every field is described and none of our own keys is left', () => {
    for (const [path, schema] of nodes(makeSpecSchema()).slice(1)) {
      if (!/(\[\]|\.\*)$/.test(path)) expect(schema.description, path).toBeTruthy();
    }
    expect(JSON.stringify(makeSpecSchema())).not.toContain('"mend"');
  });
});

describe('documents', () => {
  test.each([
    ['shop:app', 'wsgi'],
    ['shop.wsgi:application', 'wsgi'],
    ['server.js', 'node'],
    ['src/server.mjs:app', 'node'],
    ['src/server.ts', 'node'],
    ['shop:create_app()', 'wsgi'],
  ] as const)('auto runs %s as %s', (app, runtime) => {
    expect(resolveRuntime(app, 'auto')).toBe(runtime);
  });

  test('worker.json holds what its schema says, and counts in milliseconds and bytes', () => {
    const config = makeWorkerConfig(
      parsed({
        workers: { timeout: '1m30s', maxRequests: { count: 1000 }, maxMemory: '400Mi' },
        env: [{ name: 'A', value: 'b' }],
      }),
    );
    expect(workerConfigSchema.parse(config)).toEqual(config);
    expect(config).toMatchObject({
      timeouts: { requestMs: 90_000 },
      maxRequests: { count: 1000, jitter: 100 },
      maxMemoryBytes: 400 * 2 ** 20,
      env: { A: 'b' },
      threads: 1,
    });
  });

  test('proxy.json holds what its schema says; the proxy waits longer than the worker', () => {
    const config = makeProxyConfig(parsed({ proxy: { static: [{ path: '/static/', from: 'static' }] } }), {
      upstream: ['unix:/run/w.sock', '127.0.0.1:8001', '[::1]:8001'],
      staticRoots: ['/srv/shop/', '/srv/old'],
    });
    expect(proxyConfigSchema.parse(config)).toEqual(config);
    expect(config.static[0]).toMatchObject({
      path: '/static',
      directories: ['/srv/shop/static', '/srv/old/static'],
      maxAgeSeconds: 3600,
    });
    expect(config.timeouts.responseMs).toBe(45_000);
  });

  test('the hash changes with what it is over, and with nothing else', () => {
    const one = makeWorkerConfig(parsed());
    expect(makeWorkerConfig(parsed()).hash).toBe(one.hash);
    expect(makeWorkerConfig(parsed({ workers: { processes: 3 } })).hash).not.toBe(one.hash);
    expect(makeWorkerConfig(parsed({ image: 'shop:2' })).hash).toBe(one.hash);
  });
});
