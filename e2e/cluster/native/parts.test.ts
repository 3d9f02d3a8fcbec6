// The parts of a native cluster that can be looked at without one.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addOns } from './add-ons.ts';
import { cgroupMounts } from './cgroups.ts';
import { giveOrder, type Orders, takeOrders } from './control.ts';
import { imageArchive } from './image-archive.ts';
import { relay } from './relay.ts';
import { tar } from './tar.ts';

describe('an archive', () => {
  const files = [
    { path: 'bin/one', content: Buffer.from('1'.repeat(600)), mode: 0o755 },
    { path: 'two', content: Buffer.alloc(0) },
  ];

  test('is read by tar, and is the same bytes each time', () => {
    expect(execFileSync('tar', ['--utc', '-tv'], { input: tar(files), encoding: 'utf8' })).toMatch(
      /^-rwxr-xr-x 0\/0 +600 1970-01-01 00:00 bin\/one\n-rw-r--r-- 0\/0 +0 1970-01-01 00:00 two\n$/,
    );
    expect(execFileSync('tar', ['-xO', '-f-', 'bin/one'], { input: tar(files), encoding: 'utf8' })).toBe(
      '1'.repeat(600),
    );
    expect(tar(files).equals(tar(files))).toBe(true);
    expect(() => tar([{ path: 'x'.repeat(101), content: Buffer.alloc(0) }])).toThrow('longer than the 100 bytes');
  });

  test('of images names each, and has what they share once', () => {
    const image = (name: string) => ({ name, entrypoint: ['/bin/one'], files });
    const archive = imageArchive([image('example.org/a:1'), image('example.org/b:1')]);
    const entries = execFileSync('tar', ['-t'], { input: archive, encoding: 'utf8' }).trim().split('\n');
    expect(entries.slice(0, 2)).toEqual(['oci-layout', 'index.json']);
    // A layer, a configuration, a manifest.
    expect(entries).toHaveLength(2 + 3);
    const index = JSON.parse(execFileSync('tar', ['-xO', '-f-', 'index.json'], { input: archive, encoding: 'utf8' }));
    const names = index.manifests.map((one: { annotations: object }) => Object.values(one.annotations)[0]);
    expect(names).toEqual(['example.org/a:1', 'example.org/b:1']);
  });
});

test('cgroups are found in hierarchies of both versions', () => {
  const mounts = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`;
  expect(cgroupMounts(mounts)).toEqual(['/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified']);
});

test('add-ons are posted where the API has them, accounts before what runs under them', () => {
  const paths = addOns().map(({ path, body }) => `${path} ${body.metadata.name}`);
  expect(paths).toContain('/api/v1/namespaces/kube-system/services kube-dns');
  expect(paths).toContain('/apis/rbac.authorization.k8s.io/v1/clusterroles system:coredns');
  expect(paths).toContain('/apis/apiregistration.k8s.io/v1/apiservices v1beta1.metrics.k8s.io');
  for (const name of ['coredns', 'metrics-server']) {
    const account = paths.indexOf(`/api/v1/namespaces/kube-system/serviceaccounts ${name}`);
    expect(account).toBeGreaterThanOrEqual(0);
    expect(account).toBeLessThan(paths.indexOf(`/apis/apps/v1/namespaces/kube-system/deployments ${name}`));
  }
});

describe('orders', () => {
  const nothing = async (): Promise<void> => {};
  const orders: Orders = {
    answer: nothing,
    stopApiServer: nothing,
    startApiServer: () => Promise.reject(new Error('etcd is full')),
    loadImages: nothing,
    killContainer: nothing,
    close: nothing,
  };

  test('are carried out with their arguments; what went wrong is told in its words', async () => {
    const loaded: string[] = [];
    const socket = await holderWith({ ...orders, loadImages: async ({ archive }) => void loaded.push(archive) });
    await giveOrder(socket, 'loadImages', { archive: '/a.tar' });
    expect(loaded).toEqual(['/a.tar']);
    await expect(giveOrder(socket, 'startApiServer')).rejects.toThrow('etcd is full');
    await expect(giveOrder(socket, 'toString' as 'answer')).rejects.toThrow('no such order: toString');
  });

  test('to a holder that is gone say so', async () => {
    await expect(giveOrder('/nowhere/holder.sock', 'answer')).rejects.toThrow(
      /^no cluster answers at \/nowhere\/holder.sock .*: start one with npm run cluster up$/,
    );
  });
});

describe('the relay', () => {
  test('carries all that the inside says, and its end', async () => {
    const words = 'x'.repeat(5 * 2 ** 20);
    const inside = await listening((socket) => socket.end(words));
    const outside = await listening();
    relay(outside, '127.0.0.1', portOf(inside));
    expect(await textFrom(connect(portOf(outside), '127.0.0.1'))).toBe(words);
  });

  test('ends a connection when nobody listens inside, and all of them when told', async () => {
    const inside = await listening();
    const outside = await listening();
    const breakAll = relay(outside, '127.0.0.1', portOf(inside));
    const client = connect(portOf(outside), '127.0.0.1');
    await new Promise((resolve) => inside.once('connection', resolve));
    breakAll();
    expect(await textFrom(client)).toBe('');
    inside.close();
    expect(await textFrom(connect(portOf(outside), '127.0.0.1'))).toBe('');
  });
});

/** @returns path of its socket */
async function holderWith(orders: Orders): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'orders-'));
  const server = takeOrders(join(folder, 'socket'), orders);
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return join(folder, 'socket');
}

async function listening(take: (socket: Socket) => void = () => {}): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    take(socket);
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** @returns what came until it was closed, or broken */
function textFrom(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}
