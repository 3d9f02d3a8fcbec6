// The images themselves, as a pod runs them where pod security is `restricted`: what is in them, and who is process 1.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IMAGES } from '../../scripts/images/images.ts';
import type { RealCluster } from '../cluster/real-cluster.ts';
import { SHOPS } from './images.ts';
import { namespaceObject } from './load-pod.ts';
import { eventually, useRealCluster } from './rig.ts';

const cluster = useRealCluster();
const namespace = `images-${Date.now().toString(36)}`;
const BARE = [IMAGES.proxy, IMAGES.operator].map(({ name }) => ({ name, program: name.slice(0, name.indexOf(':')) }));
const IDLE = ['node', '-e', 'setInterval(() => {}, 1e6)'];
const ADMIN = '127.0.0.1:9000';

beforeAll(async () => {
  await apply([
    namespaceObject(namespace),
    ...BARE.map(({ name, program }) => pod(program, name, { command: IDLE })),
    ...SHOPS.map((shop) => pod(shop.name, shop.first, { args: [shop.app, '--workers', '2', '--admin', ADMIN] })),
    pod('boots-never', SHOPS[0]?.first ?? '', { args: ['nothing:app'] }),
  ]);
});
afterAll(() => kubectl(cluster(), 'delete', 'namespace', namespace, '--wait=false'));

test.each(BARE)('$name holds Node and its program, and nothing else that runs', async ({ program }) => {
  await phase(program, 'Running');
  const { files, user, write } = await ask<{ files: string[]; user: number; write: string }>(program, LOOK_AROUND);
  expect(files.filter((path) => !/^\/lib(?:64)?\//.test(path))).toEqual([
    `/opt/webapp/${program}.mjs`,
    '/usr/local/bin/node',
  ]);
  expect(files.filter((path) => /^\/lib/.test(path)).length).toBeLessThan(12);
  expect({ user, write }).toEqual({ user: 65532, write: 'EROFS' });
});

test.each(BARE)('$name: its program is on PATH, and names of the cluster are found', async ({ program }) => {
  await phase(program, 'Running');
  expect(await exec(program, program, '--version')).toMatch(/^webapp-\w+ \d+\.\d+\.\d+\n$/);
  expect(await ask<string>(program, FIND_API_SERVER)).toMatch(/^[\d.]+$/);
  const { code, stderr } = await cluster().kubectl(['-n', namespace, 'exec', program, '--', 'sh', '-c', 'true']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('executable file not found');
});

test.each(SHOPS)('$name: process 1 hands on what it is told, and its end', async ({ name }) => {
  await processes(name, (pids) => pids.length === 2);
  await exec(name, 'sh', '-c', 'kill -TTIN 1');
  await processes(name, (pids) => pids.length === 3);
  await exec(name, 'sh', '-c', 'kill -TTOU 1');
  const before = await processes(name, (pids) => pids.length === 2);
  await exec(name, 'sh', '-c', 'kill -HUP 1');
  await processes(name, (pids) => pids.length === 2 && pids.every((pid) => !before.includes(pid)));
  await exec(name, 'sh', '-c', 'sh -c "sleep 0.1 & exec true"');
  await eventually(
    async () => (await exec(name, 'sh', '-c', ORPHANS)) === '0\n',
    () => `${name} keeps processes that have ended`,
  );
  await exec(name, 'sh', '-c', 'kill -TERM 1');
  await phase(name, 'Succeeded');
});

test('the worker’s exit code is the container’s', async () => {
  await phase('boots-never', 'Failed');
  const code = 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}';
  expect(await kubectl(cluster(), '-n', namespace, 'get', 'pod', 'boots-never', '-o', code)).toBe('3');
});

/** Files that may be run, but what the kernel and the kubelet put there; the user; what a write to the root says. */
const LOOK_AROUND = `
  const fs = require('node:fs');
  const files = [];
  const visit = (folder) => {
    for (const entry of fs.readdirSync(folder || '/', { withFileTypes: true })) {
      const path = folder + '/' + entry.name;
      if (entry.isDirectory() && !['/proc', '/sys', '/dev', '/run'].includes(path)) visit(path);
      else if (entry.isFile() && fs.statSync(path).mode & 0o111) files.push(path);
    }
  };
  visit('');
  let write = 'done';
  try { fs.writeFileSync('/written', ''); } catch (error) { write = error.code; }
  console.log(JSON.stringify({ files: files.sort(), user: process.getuid(), write }));`;
const FIND_API_SERVER = `
  require('node:dns').lookup('kubernetes.default.svc', (error, address) => {
    console.log(JSON.stringify(String(error ?? address)));
  });`;
/** How many have ended and are still there. */
const ORPHANS = 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l';
const PIDS = `
  fetch('http://${ADMIN}/status').then((answer) => answer.json()).then(({ list }) => {
    console.log(JSON.stringify(list.filter(({ state }) => state === 'ready').map(({ pid }) => pid)));
  });`;

/** Waits until the ready ones are as wanted. */
async function processes(name: string, areWanted: (pids: readonly number[]) => boolean): Promise<readonly number[]> {
  let pids: readonly number[] = [];
  await eventually(
    async () => {
      pids = await ask<number[]>(name, PIDS).catch(() => []);
      return areWanted(pids);
    },
    () => `${name} has the processes ${pids.join(', ')}`,
  );
  return pids;
}

async function phase(name: string, wanted: string): Promise<void> {
  let last = '';
  await eventually(
    async () => {
      last = await kubectl(cluster(), '-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.phase}');
      return last === wanted;
    },
    () => `${name} is ${last} and not ${wanted}`,
  );
}

/** @returns what the script in the pod's Node prints as JSON */
async function ask<T>(name: string, script: string): Promise<T> {
  return JSON.parse(await exec(name, 'node', '-e', script)) as T;
}

const exec = (name: string, ...command: readonly string[]): Promise<string> =>
  kubectl(cluster(), '-n', namespace, 'exec', name, '--', ...command);

const kubectl = ({ kubectlOk }: RealCluster, ...args: readonly string[]): Promise<string> => kubectlOk(args);

async function apply(items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await cluster().kubectlOk(['apply', '-f', '-'], { input });
}

/** The user is the image's own: a kubelet that is told `runAsNonRoot` checks that it is one. */
function pod(name: string, image: string, start: { command?: readonly string[]; args?: readonly string[] }): object {
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        { name: 'it', image, ...start, securityContext, volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] },
      ],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    },
  };
}
