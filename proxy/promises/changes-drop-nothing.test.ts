// A change of the configuration, and the end of the program, cost no request.

import { Agent, request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type App, ask, makeConfig, type ProxyProcess, RawClient, startApp, startProxy, until } from './rig.ts';

let apps: App[];
let proxy: ProxyProcess;
/** Requests that have come to the applications. */
let received: number;

beforeEach(async () => {
  received = 0;
  apps = await Promise.all(
    ['one', 'two'].map((name) =>
      startApp((_request, response) => {
        received++;
        setTimeout(() => response.end(name), 5);
      }),
    ),
  );
  proxy = await startProxy(addresses(), { flags: ['--drain-delay', '500ms'] });
});
afterEach(async () => {
  await proxy.close();
  for (const app of apps) await app.close();
});

const addresses = () => apps.map((app) => app.address);

/** A steady load over kept connections, until `stop`; what failed, and how many were answered by whom. */
function steadyLoad() {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answers: Record<string, number> = {};
  const failures: string[] = [];
  let running = true;
  const one = () =>
    new Promise<void>((resolve) => {
      const outgoing = request({ port: proxy.port, host: '127.0.0.1', path: '/', agent }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('error', (error) => failures.push(String(error)));
        response.on('close', () => {
          if (response.statusCode === 200 && response.complete) answers[body] = (answers[body] ?? 0) + 1;
          else failures.push(`${response.statusCode} ${body}`);
          resolve();
        });
      });
      outgoing.on('error', (error) => {
        failures.push(`${error} of a ${outgoing.reusedSocket ? 'kept' : 'new'} connection`);
        resolve();
      });
      outgoing.end();
    });
  const loop = async (): Promise<void> => {
    while (running) await one();
  };
  const loops = Promise.all(Array.from({ length: 8 }, loop));
  const stop = async (): Promise<void> => {
    running = false;
    await loops;
    agent.destroy();
  };
  const total = () => Object.values(answers).reduce((sum, count) => sum + count, 0);
  return { answers, failures, stop, total };
}

test('edits under load drop nothing, and take effect', async () => {
  const load = steadyLoad();
  await until(() => load.total() > 50, 'load');
  const [one = '', two = ''] = addresses();
  for (const endpoints of [[one], [one, two], [two], [one, two]]) {
    await proxy.apply(makeConfig(endpoints, { limits: { bodyBytes: 1000 * endpoints.length } }));
    const before = load.total();
    await until(() => load.total() > before + 50, 'load after a change');
  }
  await proxy.apply(makeConfig([two]));
  await until(
    async () => (await proxy.status()).groups[0]?.endpoints.every(({ address }) => address === two) ?? false,
    'one gone',
  );
  const oneBefore = load.answers['one'];
  const before = load.total();
  await until(() => load.total() > before + 50, 'load on the second');
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.answers['one']).toBe(oneBefore);
});

test('an invalid edit is refused with its problems, and changes nothing', async () => {
  const { hash } = (await proxy.status()).config;
  const wrong = { ...makeConfig(addresses()), limits: { bodyBytes: -1, headBytes: 5, connections: 1 } };
  proxy.configure(wrong);
  const { config } = await until(async () => {
    const status = await proxy.status();
    return status.config.error !== undefined && status;
  }, 'the refusal');
  expect(config.hash).toBe(hash);
  expect(config.error).toMatch(/limits\.bodyBytes[\s\S]*limits\.headBytes/);
  expect((await ask(proxy.port, { path: '/' })).status).toBe(200);
  await proxy.apply(makeConfig(addresses()));
  expect((await proxy.status()).config.error).toBeUndefined();
});

test('SIGTERM: not ready at once, still taking, then all is finished and the exit code is 0', async () => {
  const slow = await startApp((_request, response) => {
    setTimeout(() => response.end('slow'), 1500);
  });
  apps.push(slow);
  await proxy.apply(makeConfig([slow.address]));
  const long = ask(proxy.port, { path: '/long' });
  await until(async () => (await proxy.status()).requests.inFlight === 1, 'the long request');
  proxy.signal('SIGTERM');
  expect(
    await until(async () => {
      const ready = await proxy.admin('/readyz');
      return ready.status === 503 && ready;
    }, 'not ready'),
  ).toMatchObject({ body: 'draining\n' });
  const late = ask(proxy.port, { path: '/late' });
  expect((await long).body.toString()).toBe('slow');
  expect((await late).body.toString()).toBe('slow');
  expect(await proxy.exited).toBe(0);
});

test('under a load, all that is read is answered, until the port is closed', async () => {
  const load = steadyLoad();
  await until(() => load.total() > 50, 'load');
  proxy.signal('SIGTERM');
  await until(() => load.failures.length > 0, 'the end');
  await load.stop();
  // From then on nobody is there. The kernel resets a new connection that it took between the last accept and the close: nobody has read of it.
  for (const failure of load.failures)
    expect(failure).toMatch(/ECONNREFUSED|(ECONNRESET|EPIPE|socket hang up) of a new connection/);
  expect(received).toBe(load.total());
  expect(await proxy.exited).toBe(0);
});

test('a second SIGTERM waits for nothing', async () => {
  const stuck = await startApp(() => {});
  apps.push(stuck);
  await proxy.apply(makeConfig([stuck.address]));
  const client = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await until(async () => (await proxy.status()).requests.inFlight === 1, 'a request');
  proxy.signal('SIGTERM');
  await until(async () => (await proxy.admin('/readyz')).status === 503, 'draining');
  proxy.signal('SIGTERM');
  expect(await proxy.exited).toBe(0);
  await client.closes();
});

test('--exit-with-parent: it ends as if asked, when whoever started it is gone', async () => {
  await proxy.close();
  const slow = await startApp((_request, response) => {
    setTimeout(() => response.end('slow'), 1000);
  });
  apps.push(slow);
  proxy = await startProxy([slow.address], { flags: ['--exit-with-parent'] });
  const long = ask(proxy.port, { path: '/long' });
  await until(async () => (await proxy.status()).requests.inFlight === 1, 'the long request');
  proxy.endInput();
  expect((await long).status).toBe(200);
  expect(await proxy.exited).toBe(0);
});
