// The proxy finds its workers by EndpointSlices: those that come are used, those that leave finish what they have, and what was
// known last is kept when the API server is away.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXPIRED } from '../../kube/testing/fake-api-server.ts';
import { ENDPOINT_SLICES } from '../upstream/discovery/slice.ts';
import { ask, makeConfig, type ProxyProcess, startApp, startProxy, until } from './rig.ts';
import { DISCOVER, FOUND, type Service, startService } from './service-rig.ts';

let service: Service;
let proxy: ProxyProcess;

beforeEach(async () => {
  service = await startService();
});
afterEach(async () => {
  await proxy.close();
  await service.close();
});

const start = async (flags: readonly string[] = []): Promise<void> => {
  proxy = await startProxy([], { groups: FOUND, flags: [...service.flags, ...flags] });
};
const ready = () => until(async () => (await proxy.admin('/readyz')).status === 200, 'ready');
const group = async () => (await proxy.status()).groups[0];
const addresses = async () =>
  (await group())?.endpoints.filter(({ state }) => state !== 'draining').map(({ address }) => address) ?? [];
const knows = (...pods: readonly { address: string }[]) =>
  until(async () => {
    const known = await addresses();
    return known.length === pods.length && pods.every(({ address }) => known.includes(address));
  }, `${pods.length} endpoints`);
const who = async (): Promise<string> => (await ask(proxy.port, { path: '/' })).body.toString();

/** Clients that ask one request after the other over kept connections; a POST among them now and then. */
function startLoad(clients = 8) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures: string[] = [];
  let ok = 0;
  let running = true;
  const one = (method: string): Promise<void> =>
    new Promise((resolve) => {
      const asked = request({ port: proxy.port, host: '127.0.0.1', path: '/', method, agent }, (response) => {
        response.resume();
        response.on('error', (error) => failures.push(String(error)));
        response.on('close', () => {
          if (response.statusCode === 200 && response.complete) ok++;
          else failures.push(`${response.statusCode}`);
          resolve();
        });
      });
      asked.on('error', (error) => {
        failures.push(String(error));
        resolve();
      });
      asked.end(method === 'POST' ? 'body' : undefined);
    });
  const loops = Promise.all(
    Array.from({ length: clients }, async () => {
      for (let n = 0; running; n++) await one(n % 4 === 0 ? 'POST' : 'GET');
    }),
  );
  return {
    failures,
    goOn: async (requests: number): Promise<void> => {
      const goal = ok + requests;
      await until(() => ok >= goal || failures.length > 0, `${requests} more requests`);
    },
    stop: async (): Promise<void> => {
      running = false;
      await loops;
      agent.destroy();
    },
  };
}

describe('pods that come and go', () => {
  test('a rollout under load, twice over: no request fails, and each pod gets requests only while it is ready', async () => {
    let pods = [await service.pod(), await service.pod()];
    await start();
    await ready();
    const load = startLoad();
    for (let round = 0; round < 4; round++) {
      const fresh = [await service.pod('unready'), await service.pod('unready')];
      for (const [i, old] of pods.entries()) {
        const next = fresh[i];
        if (next === undefined) continue;
        expect(next.requests).toBe(0);
        next.is('ready');
        await until(() => next.requests > 0, 'requests at the new pod');
        old.is('terminating');
        await until(async () => !(await addresses()).includes(old.address), 'the old one out of use');
        await load.goOn(20);
        const before = old.requests;
        old.is('terminated');
        await load.goOn(20);
        old.leave();
        expect(old.requests).toBe(before);
        await old.stop();
      }
      pods = fresh;
      await load.goOn(50);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    await knows(...pods);
  });

  test('what a pod has begun it finishes, though it is being deleted and gone from the slices', async () => {
    let finish: () => void = () => {};
    const slow = await service.pod('ready', (_request, response) => {
      finish = () => response.end('whole');
    });
    await start();
    await ready();
    const answer = ask(proxy.port, { path: '/' });
    await until(() => slow.requests === 1, 'the request');
    const other = await service.pod();
    slow.is('terminating');
    await knows(other);
    slow.leave();
    expect(await who()).toBe(other.name);
    expect((await group())?.endpoints.find(({ address }) => address === slow.address)).toMatchObject({
      state: 'draining',
      outstanding: 1,
    });
    finish();
    expect((await answer).body.toString()).toBe('whole');
    await until(async () => (await group())?.endpoints.length === 1, 'the slow one gone');
  });

  test('when all are being deleted, those that still serve are used; the first that is ready takes over', async () => {
    const last = await service.pod();
    await start();
    await ready();
    last.is('terminating');
    await until(() => proxy.log.some(({ msg }) => msg === 'all endpoints are being deleted'), 'the log to tell');
    expect(await who()).toBe(last.name);
    const next = await service.pod();
    await knows(next);
    expect(await who()).toBe(next.name);
  });

  test('when nobody is there, requests wait for the next that comes', async () => {
    const only = await service.pod();
    await start();
    await ready();
    only.is('unready');
    await until(async () => (await addresses()).length === 0, 'nobody');
    const waiting = Promise.all([who(), who(), who()]);
    await until(
      async () => (await proxy.admin('/metrics')).body.includes('webapp_proxy_queue_length{webapp="test"} 3'),
      'three to wait',
    );
    expect((await proxy.status()).queue).toMatchObject({ length: 3, max: 10_000 });
    expect((await proxy.status()).queue?.oldestMs).toBeGreaterThan(0);
    only.is('ready');
    expect(await waiting).toEqual([only.name, only.name, only.name]);
    const { durations, queue } = await until(async () => {
      const status = await proxy.status();
      return status.requests.inFlight === 0 && status;
    }, 'all to be counted');
    expect(queue).toEqual({ length: 0, max: 10_000, oldestMs: 0 });
    expect(durations?.queue.sumMs).toBeGreaterThan(0);
  });
});

describe('before the API server has answered', () => {
  test('not ready, and says why; requests wait, and are answered once it has', async () => {
    const pod = await service.pod();
    const silence = service.api.fail({ path: /endpointslices/, times: 1000 }, { status: 500 });
    await start();
    await until(() => silence.hits > 0, 'a try');
    expect(await proxy.admin('/readyz')).toEqual({
      status: 503,
      body: expect.stringContaining('waits for the EndpointSlices of shop/web'),
    });
    expect(await group()).toMatchObject({ discovery: { ...DISCOVER, synced: false }, endpoints: [] });
    const metrics = async () => (await proxy.admin('/metrics')).body;
    expect(await metrics()).toContain('webapp_proxy_discovery_in_step{group="current",webapp="test"} 0');
    const waiting = who();
    await until(
      async () => (await proxy.admin('/metrics')).body.includes('webapp_proxy_queue_length{webapp="test"} 1'),
      'one to wait',
    );
    silence.remove();
    expect(await waiting).toBe(pod.name);
    await ready();
    expect((await group())?.discovery).toEqual({ ...DISCOVER, synced: true });
    expect(await metrics()).toContain('webapp_proxy_discovery_in_step{group="current",webapp="test"} 1');
  });

  test('a Service without pods is an answer: ready', async () => {
    await start();
    await ready();
    expect(await addresses()).toEqual([]);
  });

  test('under maintenance nobody is needed: ready', async () => {
    service.api.fail({ path: /endpointslices/, times: 1000 }, { status: 403, reason: 'Forbidden' });
    proxy = await startProxy([], { groups: FOUND, flags: service.flags, maintenance: { retryAfterSeconds: 5 } });
    await ready();
    expect((await ask(proxy.port, { path: '/' })).status).toBe(503);
  });
});

describe('the API server', () => {
  test('away: what was known last serves on, and what changed meanwhile is seen when it is back', async () => {
    const [first, second] = [await service.pod(), await service.pod()];
    await start();
    await ready();
    await knows(first, second);
    const load = startLoad();
    await service.api.down();
    await load.goOn(100);
    expect(await addresses()).toHaveLength(2);
    expect((await proxy.admin('/readyz')).status).toBe(200);
    second.leave();
    const third = await service.pod();
    await service.api.up();
    await knows(first, third);
    await until(() => third.requests > 0, 'requests at the third');
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  test('away from one start of the proxy to the next: endpoints of the configuration serve, found ones come when it is back', async () => {
    const pod = await service.pod();
    const told = await startApp((_request, response) => void response.end('told'));
    await service.api.down();
    proxy = await startProxy([], {
      groups: [...FOUND, { name: 'told', weight: 1, endpoints: [{ address: told.address }] }],
      flags: service.flags,
    });
    try {
      expect(await who()).toBe('told');
      await service.api.up();
      await knows(pod);
    } finally {
      await told.close();
    }
  });

  test('has forgotten its history (410): nothing is missed', async () => {
    const [first, second] = [await service.pod(), await service.pod()];
    await start();
    await ready();
    await knows(first, second);
    service.api.endWatches('silence');
    second.leave();
    const third = await service.pod();
    service.api.compact();
    service.api.dropConnections();
    await knows(first, third);
    service.api.fail({ watch: true, times: 3 }, { status: EXPIRED.code ?? 410, reason: 'Expired' });
    service.api.endWatches('gone');
    first.leave();
    await knows(third);
  });

  test.each(['end', 'cut', 'garbage', 'gone'] as const)(
    'ends watches (%s): nothing is missed, and it is not stormed',
    async (how) => {
      let pod = await service.pod();
      await start();
      await ready();
      for (let round = 0; round < 3; round++) {
        await until(() => service.api.openWatches > 0, 'a watch');
        service.api.endWatches(how);
        const next = await service.pod();
        pod.leave();
        pod = next;
        await knows(pod);
      }
      expect(service.api.requests.length).toBeLessThan(60);
    },
  );

  test('wants a token: it is read from its file, and read again when it is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-'));
    const file = join(folder, 'token');
    try {
      service.api.requireToken('first');
      const pod = await service.pod();
      writeFileSync(file, '\n');
      await start(['--api-token-file', file]);
      await until(() => proxy.log.some(({ error }) => String(error).includes('holds no token')), 'the log to tell');
      expect(service.api.requests).toEqual([]);
      writeFileSync(file, 'first\n');
      await knows(pod);
      writeFileSync(file, 'second\n');
      service.api.requireToken('second');
      service.api.dropConnections();
      const other = await service.pod();
      await knows(pod, other);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is asked for the slices of that Service in that namespace, and nothing else', async () => {
    service.api.put(ENDPOINT_SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'other', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'other' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.9'] }],
      ports: [{ name: 'http', port: 9 }],
    });
    const pod = await service.pod();
    await start();
    await knows(pod);
    for (const { method, path, query } of service.api.requests) {
      expect([method, path]).toEqual(['GET', '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices']);
      expect(query['labelSelector']).toBe('kubernetes.io/service-name=web');
    }
  });
});

describe('the configuration', () => {
  test('a change of anything else leaves the watch alone; another Service is watched instead', async () => {
    const pod = await service.pod();
    await start();
    await ready();
    await until(() => service.api.openWatches === 1, 'a watch');
    service.api.clearLog();
    for (let edit = 0; edit < 3; edit++)
      await proxy.apply(makeConfig([], { groups: FOUND, limits: { bodyBytes: 1000 + edit } }));
    const admin = FOUND.map((one) => ({ ...one, name: 'renamed', discover: { ...DISCOVER, port: 'admin' } }));
    await proxy.apply(makeConfig([], { groups: admin }));
    expect(await addresses()).toEqual([]);
    await proxy.apply(makeConfig([], { groups: FOUND }));
    expect(await addresses()).toEqual([pod.address]);
    expect(service.api.requests).toEqual([]);
    const elsewhere = FOUND.map((one) => ({ ...one, discover: { ...DISCOVER, service: 'elsewhere' } }));
    await proxy.apply(makeConfig([], { groups: elsewhere }));
    await until(async () => (await group())?.discovery?.synced ?? false, 'the other Service');
    await until(() => service.api.openWatches === 1, 'one watch');
    expect(
      service.api.requests.every(({ query }) => query['labelSelector'] === 'kubernetes.io/service-name=elsewhere'),
    ).toBe(true);
    expect((await proxy.admin('/readyz')).status).toBe(200);
  });

  test('from told endpoints to found ones and back, under load', async () => {
    const pod = await service.pod();
    const told = await startApp((_request, response) => void response.end('told'));
    try {
      proxy = await startProxy([told.address], { flags: service.flags });
      expect(service.api.requests).toEqual([]);
      const load = startLoad();
      await load.goOn(20);
      await proxy.apply(makeConfig([], { groups: FOUND }));
      await until(() => pod.requests > 0, 'requests at the pod');
      await proxy.apply(makeConfig([told.address]));
      await load.goOn(20);
      await until(() => service.api.openWatches === 0, 'no watch');
      await load.stop();
      expect(load.failures).toEqual([]);
    } finally {
      await told.close();
    }
  });

  test('in a pod the API server is the pod’s own: it need not be told', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' };
    proxy = await startProxy([], { groups: FOUND, env });
    await until(() => proxy.log.some(({ msg }) => msg === 'watch ended'), 'a try');
    expect(await group()).toMatchObject({ discovery: { synced: false } });
    expect((await proxy.admin('/readyz')).status).toBe(503);
  });

  test('where no API server is known, one that needs it is refused, and the one before stays in force', async () => {
    const told = await startApp((_request, response) => void response.end('told'));
    try {
      proxy = await startProxy([told.address]);
      proxy.configure(makeConfig([], { groups: FOUND }));
      const { error } = await until(async () => {
        const { config } = await proxy.status();
        return config.error !== undefined && config;
      }, 'the refusal');
      expect(error).toMatch(/groups\[0\]\.discover[\s\S]*--api-server/);
      expect(await who()).toBe('told');
    } finally {
      await told.close();
    }
  });
});

describe('what the slices hold', () => {
  test('6,000 endpoints in sixty slices, coming and going one by one', async () => {
    const ips = (slice: number) =>
      Array.from({ length: 100 }, (_, i) => ({
        addresses: [`127.${1 + slice}.1.${i + 1}`],
        conditions: { ready: true },
      }));
    for (let slice = 0; slice < 60; slice++) service.put(`many-${slice}`, ips(slice));
    await start();
    await ready();
    await until(async () => (await addresses()).length === 6000, '6,000 endpoints');
    for (let slice = 0; slice < 59; slice++) service.put(`many-${slice}`, ips(slice).slice(0, 50));
    service.remove('many-59');
    await until(async () => (await addresses()).length === 2950, '2,950 endpoints');
    expect((await proxy.admin('/healthz')).status).toBe(200);
  });

  test('garbage beside a good endpoint: the good one serves, and the log tells', async () => {
    const pod = await service.pod();
    const hostile = [
      null,
      'x',
      {},
      { addresses: [] },
      { addresses: ['unix:/run/admin.sock'] },
      { addresses: ['a.example.com'] },
    ];
    service.put('hostile-1', hostile);
    service.put('hostile-2', [{ addresses: ['10.0.0.1'] }], 70_000);
    service.put('hostile-3', { length: 3 }, 80, { ports: 'all' });
    service.put('hostile-4', null, null, { ports: null });
    await start();
    await knows(pod);
    expect(await who()).toBe(pod.name);
    await until(() => proxy.log.some(({ msg }) => msg === 'parts of EndpointSlices are ignored'), 'the log to tell');
    service.put('hostile-1', [...hostile, ...hostile]);
    const other = await service.pod();
    await knows(pod, other);
  });
});
