import { Counter, Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { type AdminSources, openAdmin } from './admin.ts';

async function open(sources: Partial<AdminSources> = {}) {
  const admin = await openAdmin(
    { host: '127.0.0.1', port: 0 },
    { ready: () => null, status: () => ({ state: 'running' }), metrics: new Registry(), ...sources },
  );
  onTestFinished(() => admin.close());
  const { port } = admin.address as { port: number };
  return { admin, ask: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init) };
}

test('/healthz says that the program lives', async () => {
  const { ask } = await open();
  const response = await ask('/healthz');
  expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test('/readyz is 503 with the reason until there is none', async () => {
  let reason: string | null = 'no process is ready yet';
  const { ask } = await open({ ready: () => reason });
  const before = await ask('/readyz');
  expect([before.status, await before.text()]).toEqual([503, 'no process is ready yet\n']);
  reason = null;
  const after = await ask('/readyz');
  expect([after.status, await after.text()]).toEqual([200, 'ready\n']);
});

test('/status is the document of the moment', async () => {
  let state = 'starting';
  const { ask } = await open({ status: () => ({ state }) });
  state = 'running';
  const response = await ask('/status');
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await response.json()).toEqual({ state: 'running' });
});

test('/status waits until the news are unlike those that are named', async () => {
  let news = 'a';
  const { ask } = await open({ status: () => ({ news }), news: () => news });
  const asked = ask('/status?unlike=a&waitMs=60000');
  const other = ask('/status?unlike=b&waitMs=60000');
  expect(await (await other).json()).toEqual({ news: 'a' });
  news = 'b';
  expect(await (await asked).json()).toEqual({ news: 'b' });
});

test.each(['', '&waitMs=5', '&waitMs=0', '&waitMs=-1', '&waitMs=NaN', '&waitMs=1&waitMs=2', '&unlike=b&waitMs=9e9'])(
  '/status?unlike=a%s is answered though there is no news',
  async (more) => {
    const { ask } = await open({ status: () => ({ news: 'a' }), news: () => 'a' });
    expect((await ask(`/status?unlike=a${more}`)).status).toBe(200);
  },
);

test('a program without news answers at once', async () => {
  const { ask } = await open();
  expect((await ask('/status?unlike=a&waitMs=60000')).status).toBe(200);
});

test('those who wait are bounded: one more is answered at once; nobody is looked for when none waits', async () => {
  let [news, looks] = ['a', 0];
  const { ask } = await open({
    status: () => ({ news }),
    news: () => {
      looks++;
      return news;
    },
  });
  let answered = 0;
  const all = Array.from({ length: 17 }, async () => {
    await ask('/status?unlike=a&waitMs=60000');
    answered++;
  });
  await expect.poll(() => answered, { timeout: 60_000 }).toBe(1);
  news = 'b';
  await Promise.all(all);
  const before = looks;
  await ask('/status?unlike=c&waitMs=300');
  expect(looks).toBe(before + 1);
});

test('closing cuts those who wait, and one that goes is forgotten', async () => {
  const { ask, admin } = await open({ news: () => 'a' });
  const leave = new AbortController();
  const left = ask('/status?unlike=a&waitMs=60000', { signal: leave.signal });
  const cut = ask('/status?unlike=a&waitMs=60000');
  await ask('/healthz');
  leave.abort();
  await expect(left).rejects.toThrow();
  const told = expect(cut).rejects.toThrow();
  await admin.close();
  await told;
});

test('/metrics is what the registry holds', async () => {
  const metrics = new Registry();
  new Counter({ name: 'a_total', help: 'A.', registers: [metrics] }).inc(3);
  const { ask } = await open({ metrics });
  const response = await ask('/metrics');
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await response.text()).toContain('a_total 3');
});

test('/metrics is OpenMetrics for those who ask for it', async () => {
  const metrics = new Registry();
  new Counter({ name: 'a_total', help: 'A.', registers: [metrics] }).inc(3);
  const { ask } = await open({ metrics });
  const response = await ask('/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0' } });
  expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(await response.text()).toBe('# HELP a A.\n# TYPE a counter\na_total 3\n# EOF\n');
});

test.each([
  ['/', 404],
  ['/status/../x', 404],
])('%s is %i, and says what there is', async (path, status) => {
  const { ask } = await open();
  const response = await ask(path);
  expect(response.status).toBe(status);
  expect(await response.text()).toContain('/readyz');
});

test('nothing can be changed through it', async () => {
  const { ask } = await open();
  const response = await ask('/status', { method: 'POST', body: 'x' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('a source that throws is 500, and the port lives on', async () => {
  const { ask } = await open({
    status: () => {
      throw new Error('no status');
    },
  });
  expect((await ask('/status')).status).toBe(500);
  expect((await ask('/healthz')).status).toBe(200);
});

test('closed twice is closed once', async () => {
  const { admin, ask } = await open();
  await ask('/healthz');
  await Promise.all([admin.close(), admin.close()]);
  await expect(ask('/healthz')).rejects.toThrow();
});
