// Many calls at once against a server that fails in every way it can, by a seeded die: each call ends once, in its result or in a KubeError,
// and no create is carried out twice.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { KubeError } from '../errors.ts';
import type { KubeObject, Resource } from '../object.ts';
import { type FakeApiServer, type FaultEffect, startFakeApiServer } from '../testing/fake-api-server.ts';
import { makeTransport, type Transport } from '../transport.ts';

const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const PATH = '/api/v1/namespaces/shop/configmaps';
const EFFECTS: readonly FaultEffect[] = [
  { status: 429, retryAfter: 0 },
  { status: 503, retryAfter: 0 },
  { status: 500 },
  { reset: 'before' },
  { reset: 'after' },
  { silence: true },
  { delayMs: 20 },
  { answer: '<html>' },
  { answer: '{"metadata":{"name":"x"}}', cut: true },
];

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let fake: FakeApiServer;
let transport: Transport;
beforeEach(async () => {
  fake = await startFakeApiServer();
  const log = makeLog(() => {}, Date.now, 'error');
  transport = makeTransport({ access: fake.access(), log, clock: systemClock, userAgent: 'chaos', connections: 6 });
});
afterEach(async () => {
  transport.close();
  await fake.close();
});

type Outcome = { readonly id: number; readonly isCreate: boolean; readonly error: unknown };

function call(id: number, isCreate: boolean): Promise<Outcome> {
  const metadata = { namespace: 'shop', labels: { id: String(id) } };
  const named = isCreate ? { ...metadata, generateName: 'made-' } : { ...metadata, name: `applied-${id}` };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: named };
  const sent = isCreate
    ? transport.request<KubeObject>({ method: 'POST', path: PATH, body, timeoutMs: 2_000 })
    : transport.request<KubeObject>({
        method: 'PATCH',
        path: `${PATH}/applied-${id}`,
        query: { fieldManager: 'chaos' },
        contentType: 'application/apply-patch+yaml',
        body,
        timeoutMs: 2_000,
      });
  return sent.then(
    () => ({ id, isCreate, error: undefined }),
    (error: unknown) => ({ id, isCreate, error }),
  );
}

test.each([1, 2, 3])(
  'seed %i: every call ends once, nothing is made twice, and afterwards all is well',
  async (seed) => {
    const random = seeded(seed);
    const pick = (): FaultEffect => EFFECTS[Math.floor(random() * EFFECTS.length)] ?? { status: 500 };
    const outcomes: Outcome[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < 150) {
        if (random() < 0.4) fake.fail({}, pick());
        if (random() < 0.03) fake.dropConnections();
        outcomes.push(await call(next++, random() < 0.5));
      }
    };
    await Promise.all(Array.from({ length: 10 }, work));

    const copies = Map.groupBy(fake.list(CONFIG_MAPS), ({ metadata }) => metadata.labels?.['id']);
    for (const { id, isCreate, error } of outcomes) {
      const made = copies.get(String(id))?.length ?? 0;
      expect(error === undefined || error instanceof KubeError, String(error)).toBe(true);
      expect(made, `${isCreate ? 'create' : 'apply'} ${id} ended in ${String(error)}`).toBeLessThanOrEqual(1);
      if (isCreate && error instanceof KubeError && error.status === 500) expect(made).toBe(0);
    }
    expect(new Set(outcomes.map(({ error }) => error instanceof KubeError && error.code)).size).toBeGreaterThan(3);

    fake.heal();
    fake.clearLog();
    const healed = await Promise.all(Array.from({ length: 50 }, (_, n) => call(1_000 + n, n % 2 === 0)));
    expect(healed.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(fake.writes).toHaveLength(50);
    await vi.waitFor(() => expect(fake.connections.open).toBeLessThanOrEqual(6));
  },
);
