// The whole operator, in this process, on an API server that fails in every way: it converges, and then is still.
import { afterEach, expect, test } from 'vitest';
import { API_VERSION, KIND } from '../core/app/schema.ts';
import { systemClock } from '../core/clock.ts';
import { type LogFields, makeLog } from '../core/log.ts';
import type { KubeObject } from '../kube/object.ts';
import { type FakeApiServer, type FaultEffect, startFakeApiServer } from '../kube/testing/fake-api-server.ts';
import { type Flags, parseFlags } from './flags.ts';
import { Program } from './program.ts';
import { CHILD_KINDS, KINDS, OPTIONAL_KINDS, POD, SECRET, WEBAPP } from './webapp/kinds.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startFake(): Promise<FakeApiServer> {
  const fake = await startFakeApiServer({ resources: [WEBAPP, POD, SECRET, ...Object.values(CHILD_KINDS)] });
  closing.push(() => fake.close());
  return fake;
}

function flags(...args: string[]): Flags {
  const command = parseFlags(['--admin', '127.0.0.1:0', '--status-interval', '0s', ...args], 'test');
  if (typeof command === 'string' || !('run' in command)) throw new Error('not a run');
  return command.run;
}

async function startProgram(fake: FakeApiServer, ...args: string[]): Promise<Program> {
  const program = new Program({
    flags: flags(...args),
    access: fake.access(),
    identity: 'test',
    version: 'test',
    log: makeLog(() => {}, systemClock.wall),
    clock: systemClock,
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  closing.push(() => program.stop());
  await program.start();
  return program;
}

let uids = 0;
function putWebApp(fake: FakeApiServer, name: string, spec: object = {}): void {
  const live = fake.get(WEBAPP, { namespace: 'shop', name });
  fake.put(WEBAPP, {
    apiVersion: API_VERSION,
    kind: KIND,
    ...live,
    metadata: { name, namespace: 'shop', uid: `uid-${++uids}`, ...live?.metadata },
    spec: { image: 'shop:1', app: 'shop:app', ...spec },
  });
}

const statusOf = (fake: FakeApiServer, name: string): LogFields =>
  (fake.get(WEBAPP, { namespace: 'shop', name })?.['status'] ?? {}) as LogFields;

function childrenOf(fake: FakeApiServer, name: string): KubeObject[] {
  return Object.values(KINDS).flatMap((resource) =>
    fake.list(resource).filter(({ metadata }) => metadata.labels?.['webapp-operator.io/webapp'] === name),
  );
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 25_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const followed = (fake: FakeApiServer, name: string): boolean => {
  const generation = fake.get(WEBAPP, { namespace: 'shop', name })?.metadata.generation;
  return generation !== undefined && statusOf(fake, name)['observedGeneration'] === generation;
};

/** No write for longer than the second look at a new status takes. */
async function still(fake: FakeApiServer): Promise<void> {
  for (let same = 0, before = -1; same < 30; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    same = fake.writes.length === before ? same + 1 : 0;
    before = fake.writes.length;
  }
}

test('a WebApp gets its children and a status, and then nothing is written', async () => {
  const fake = await startFake();
  putWebApp(fake, 'shop');
  await startProgram(fake);
  await until('status', () => followed(fake, 'shop'));
  expect(childrenOf(fake, 'shop').length).toBeGreaterThan(14);
  await still(fake);
  const writes = fake.writes.length;
  for (let again = 0; again < 5; again++) putWebApp(fake, 'shop'); // news without anything new
  await still(fake);
  expect(fake.writes.length).toBe(writes);
});

const STORMS: Record<string, { match: { method?: string; path?: RegExp; times: number }; effect: FaultEffect }[]> = {
  'every other answer is 429': [{ match: { times: 60 }, effect: { status: 429, retryAfter: 0 } }],
  'writes fail with 500, 409 and resets': [
    { match: { method: 'PATCH', times: 10 }, effect: { status: 500 } },
    { match: { method: 'PATCH', times: 10 }, effect: { status: 409, reason: 'Conflict' } },
    { match: { method: 'PATCH', times: 10 }, effect: { reset: 'before' } },
    { match: { method: 'PATCH', times: 10 }, effect: { reset: 'after' } },
  ],
  'watches are cut after each event': [
    { match: { path: /watch=(true|1)/, times: 200 }, effect: { watch: 'cut', afterEvents: 1 } },
  ],
  'watches are told 410': [{ match: { path: /watch=(true|1)/, times: 60 }, effect: { watch: 'gone', afterEvents: 2 } }],
};

test.each(Object.entries(STORMS))('converges though %s', async (_name, faults) => {
  const fake = await startFake();
  await startProgram(fake);
  for (const { match, effect } of faults) fake.fail(match, effect);
  const names = ['a', 'b', 'c', 'd'];
  for (let round = 1; round <= 3; round++)
    for (const name of names) putWebApp(fake, name, { workers: { threads: round } });
  await until('every WebApp followed', () => names.every((name) => followed(fake, name)));
  fake.heal();
  await until('the last edit is in every document', () =>
    names.every((name) =>
      childrenOf(fake, name).some(
        ({ kind, data }) => kind === 'ConfigMap' && JSON.stringify(data).includes('\\"threads\\":3'),
      ),
    ),
  );
  await still(fake);
});

test('an optional API is used once it is there, and its absence is said until then', async () => {
  const fake = await startFake();
  fake.unserve(OPTIONAL_KINDS.ServiceMonitor);
  putWebApp(fake, 'shop', { monitoring: { serviceMonitor: true } });
  await startProgram(fake);
  await until('said', () => JSON.stringify(statusOf(fake, 'shop')).includes('ApiMissing'));
  await still(fake);
  expect(childrenOf(fake, 'shop').some(({ kind }) => kind === 'ServiceMonitor')).toBe(false);
});

test('what it watches is what it was told to', async () => {
  const fake = await startFake();
  putWebApp(fake, 'shop');
  await startProgram(fake, '--namespaces', 'blog,news');
  await until('the watches', () => fake.openWatches >= 2 * (Object.keys(CHILD_KINDS).length + 2));
  expect(fake.requests.filter(({ path }) => path.includes('/namespaces/shop/'))).toEqual([]);
  expect(fake.requests.filter(({ path, watch }) => watch && !path.includes('/namespaces/'))).toEqual([]);
});

test('Secrets are never listed: only watched by name', async () => {
  const fake = await startFake();
  const proxy = { hosts: ['a.b'], expose: { type: 'Ingress' }, tls: { secretName: 'tls' } };
  putWebApp(fake, 'shop', { envFrom: [{ secretRef: { name: 'keys' } }], proxy });
  await startProgram(fake);
  await until('asked for', () => fake.requests.filter(({ path }) => path.includes('/secrets')).length > 1);
  await still(fake);
  for (const { path, query } of fake.requests.filter((request) => request.path.includes('/secrets'))) {
    expect(path).toContain('/namespaces/shop/');
    expect(query['fieldSelector'] ?? path).toMatch(/metadata\.name=(keys|tls)$|\/(keys|tls)$/);
  }
});
