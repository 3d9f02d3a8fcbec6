// The program as a container runs it: the image's working directory, the document's folder mounted elsewhere, the pod's own
// environment, and in the document only what the worker itself adds.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { makeDocument, until, WorkerUnderTest } from './worker-under-test.ts';

let mounted: string;
let worker: WorkerUnderTest | undefined;
beforeEach(() => {
  mounted = mkdtempSync(join(tmpdir(), 'mounted-'));
});
afterEach(async () => {
  await worker?.close();
  rmSync(mounted, { recursive: true });
});

function mount(change: Parameters<typeof makeDocument>[0]): void {
  writeFileSync(join(mounted, 'new'), JSON.stringify(makeDocument(change)));
  renameSync(join(mounted, 'new'), join(mounted, 'worker.json'));
}

const ARGS = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--directory', '.'];
const start = (files: Record<string, string>, env: Record<string, string> = {}): Promise<WorkerUnderTest> => {
  const args = ['--config', join(mounted, 'worker.json'), ...ARGS];
  worker = new WorkerUnderTest({ files, args, env: { WEBAPP_PYTHON: inject('python'), ...env } });
  return worker.ready(1);
};

const PYTHON_APP = `
import os
def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f"{os.getcwd()} {os.environ.get('COLOUR')}".encode()]
`;
const NODE_APP = `
const { getHeapStatistics } = require('node:v8');
require('node:http').createServer((request, response) => {
  const limitMiB = getHeapStatistics().heap_size_limit / 2 ** 20;
  response.end(JSON.stringify({ colour: process.env.COLOUR, cwd: process.cwd(), pid: process.pid, limitMiB }));
}).listen(process.env.PORT);
`;

test('Python: the application is found in the working directory and has the pod’s environment', async () => {
  mount({ env: {}, processes: 1 });
  const started = await start({ 'app.py': PYTHON_APP }, { COLOUR: 'green' });
  expect((await started.ask('/')).text).toBe(`${started.directory} green`);
});

test('Node: NODE_OPTIONS of the document reaches the application’s processes, and a change replaces them', async () => {
  const change = { app: 'server.js', runtime: 'node', processes: 1 } as const;
  mount({ ...change, env: { NODE_OPTIONS: '--max-old-space-size=200' } });
  const started = await start({ 'server.js': NODE_APP }, { COLOUR: 'green' });
  const ask = async () => JSON.parse((await started.ask('/')).text);
  const first = await ask();
  expect(first).toMatchObject({ colour: 'green', cwd: started.directory });
  // V8 counts its young generation in.
  expect(first.limitMiB).toBeGreaterThanOrEqual(200);
  expect(first.limitMiB).toBeLessThan(400);
  mount({ ...change, hash: 'second', env: { NODE_OPTIONS: '--max-old-space-size=700' } });
  await until('a process with the new limit', async () => (await ask()).limitMiB >= 700);
  expect((await ask()).pid).not.toBe(first.pid);
});
