// A reflector and its store on the fake API server, in time that is turned: waits of minutes pass in moments, none is slept through.
import { afterEach, expect, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { type KubeObject, keyOf, type Resource } from '../object.ts';
import { makeReflector, type Reflector, type ReflectorOptions } from '../reflector.ts';
import { makeStore, type Sink, type Store, type StoreChange } from '../store.ts';
import { makeTransport, type Transport } from '../transport.ts';
import { type FakeApiServer, startFakeApiServer } from './fake-api-server.ts';

export const WEBS: Resource = { group: 'example.io', version: 'v1', plural: 'webs', kind: 'Web', namespaced: true };

const open = new Set<{ close(): unknown }>();
afterEach(async () => {
  for (const each of open) await each.close();
  open.clear();
});

export interface Rig {
  readonly fake: FakeApiServer;
  readonly transport: Transport;
  readonly store: Store<KubeObject> & Sink;
  readonly reflector: Reflector;
  readonly changes: StoreChange[];
  readonly log: string[];
}

/** @param lagMs how far the watch is behind the answers to our writes */
export async function makeRig(options: Partial<ReflectorOptions> = {}, faked?: FakeApiServer, lagMs = 0): Promise<Rig> {
  const fake = faked ?? (await startFakeApiServer({ resources: [WEBS] }));
  const lines: string[] = [];
  const log = makeLog(
    (line) => lines.push(line),
    () => 0,
  );
  const common = { log, clock: systemClock };
  const transport = makeTransport({ ...common, access: fake.access(), userAgent: 'test' });
  const store = makeStore<KubeObject>({ kind: 'Web' });
  const changes: StoreChange[] = [];
  store.onChange((change) => changes.push(change));
  const lagging = lagMs === 0 ? transport : { ...transport, watch: lag(transport, lagMs) };
  const reflector = makeReflector({
    ...common,
    transport: lagging,
    resource: WEBS,
    sink: store,
    random: () => 0,
    ...options,
  });
  for (const each of [reflector, transport, fake]) open.add(each);
  return { fake, transport, store, reflector, changes, log: lines };
}

/** The same watch, every line so much later. */
function lag(transport: Transport, lagMs: number): Transport['watch'] {
  return async (request) => {
    const failed = new AbortController();
    let told = Promise.resolve();
    const onLine = (line: string): void => {
      const due = new Promise((resolve) => setTimeout(resolve, lagMs));
      told = told.then(() => due).then(() => request.onLine(line));
      told.catch(() => failed.abort());
    };
    const signal = AbortSignal.any([failed.signal, ...(request.signal ? [request.signal] : [])]);
    const ended = await transport.watch({ ...request, signal, onLine }).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await told;
    if (ended !== undefined) throw ended.error;
  };
}

export async function startRig(...names: string[]): Promise<Rig> {
  const rig = await makeRig();
  for (const name of names) put(rig.fake, name, 1);
  rig.reflector.start();
  await watching(rig);
  return rig;
}

export function put(fake: FakeApiServer, name: string, mark: number): KubeObject {
  const metadata = { namespace: 'shop', name };
  return fake.put(WEBS, { apiVersion: 'example.io/v1', kind: 'Web', metadata, spec: { mark } });
}

export const drop = (fake: FakeApiServer, name: string): boolean => fake.remove(WEBS, { namespace: 'shop', name });
export const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
export const watching = ({ fake }: Rig): Promise<void> => until(() => expect(fake.openWatches).toBe(1));
export const lists = ({ fake }: Rig): number =>
  fake.requests.filter(({ watch, query }) => !watch && !query['continue']).length;
export const watches = ({ fake }: Rig): number => fake.requests.filter(({ watch }) => watch).length;

export function contents(store: Store<KubeObject>): Record<string, unknown> {
  return Object.fromEntries([...store.keys()].sort().map((key) => [key, store.get(key)]));
}

export function stored(fake: FakeApiServer): Record<string, unknown> {
  return Object.fromEntries(fake.list(WEBS).map((object) => [keyOf(object), withoutManagers(object)]));
}

function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata as KubeObject['metadata'] & { managedFields?: unknown };
  return { ...object, metadata };
}

export const inStep = ({ store, fake }: Rig): Promise<void> =>
  until(() => expect(contents(store)).toEqual(stored(fake)));
