import { afterEach, expect, inject, test } from 'vitest';
import { Load, makeDocument, until, WorkerUnderTest } from './worker-under-test.ts';

let worker: WorkerUnderTest | undefined;
let load: Load | undefined;
afterEach(async () => {
  await load?.stop();
  await worker?.close();
});

/** Healthy unless its pid stands in the file `sick`; slow to become so. */
const APP = `
import os, time
from flask import Flask
app = Flask(__name__)
born = time.monotonic()

@app.get('/')
def index():
    return str(os.getpid()) if time.monotonic() - born > 0.7 else ('too early', 500)

@app.get('/healthz')
def healthz():
    sick = open('sick').read().split()
    return ('sick' if str(os.getpid()) in sick else 'warming up', 503) if time.monotonic() - born < 0.7 or str(os.getpid()) in sick else 'ok'
`;

test('a process serves from its first good check on, and one that fails them is replaced; no request notices', async () => {
  const health = { path: '/healthz', intervalMs: 200, timeoutMs: 5_000, failures: 2 };
  worker = new WorkerUnderTest({
    files: { 'app.py': APP, sick: '', 'worker.json': JSON.stringify(makeDocument({ processes: 2, health })) },
    args: ['--config', 'worker.json', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    env: { WEBAPP_PYTHON: inject('python') },
  });
  const started = await worker.ready(2);
  load = new Load(started, '/', 1);
  await load.goOn(20);
  const [sick] = (await started.status()).list;
  started.write('sick', `${sick?.pid}`);
  await until('its death', async () => (await started.status()).deaths.length === 1);
  expect((await started.status()).deaths[0]).toMatchObject({
    id: sick?.id,
    cause: 'unhealthy',
    message: expect.stringMatching(/failed its health checks: \/healthz answered 503/),
  });
  await started.ready(2);
  await load.goOn(20);
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('the metrics of front and supervisor stand in one answer', async () => {
  worker = new WorkerUnderTest({
    files: { 'app.py': APP, sick: '', 'worker.json': JSON.stringify(makeDocument({ processes: 1 })) },
    args: ['--config', 'worker.json', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    env: { WEBAPP_PYTHON: inject('python') },
  });
  const started = await worker.ready(1);
  await started.ask('/');
  const { text } = await started.askAdmin('/metrics');
  expect(text).toMatch(/^webapp_worker_processes\{state="ready",webapp="[^"]+"\} 1$/m);
  expect(text).toMatch(/^webapp_worker_queue_seconds_count\{webapp="[^"]+"\} 1$/m);
  expect(text).toMatch(/^webapp_worker_process_resident_bytes\{place="1",webapp="[^"]+"\} [1-9]\d{6,}$/m);
});
