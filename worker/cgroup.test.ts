import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCgroup } from './cgroup.ts';
import { autoProcesses } from './supervisor.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
};
const read = () => {
  const cgroup = openCgroup(root);
  return { cpu: cgroup.cpuLimit(), memory: cgroup.memoryLimit(), kills: cgroup.oomKills() };
};

test('version 2 in a container: the mount is the group', () => {
  write({
    'proc/self/cgroup': '0::/\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
    'sys/fs/cgroup/cpu.max': '150000 100000\n',
    'sys/fs/cgroup/memory.max': '536870912\n',
    'sys/fs/cgroup/memory.events': 'low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 0\n',
  });
  expect(read()).toEqual({ cpu: 1.5, memory: 536_870_912, kills: 2 });
});

test('version 2 on a host: the narrowest limit of the levels above counts', () => {
  write({
    'proc/self/cgroup': '0::/a.slice/b.service\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
    'sys/fs/cgroup/a.slice/cpu.max': '200000 100000\n',
    'sys/fs/cgroup/a.slice/memory.max': '1000000\n',
    'sys/fs/cgroup/a.slice/b.service/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/a.slice/b.service/memory.max': 'max\n',
    'sys/fs/cgroup/a.slice/b.service/memory.events': 'oom_kill 1\n',
  });
  expect(read()).toEqual({ cpu: 2, memory: 1_000_000, kills: 1 });
});

test('version 1, the path on the host not being there', () => {
  write({
    'proc/self/cgroup': '4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/\n',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '300000\n',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
    'sys/fs/cgroup/memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 7\n',
  });
  expect(read()).toEqual({ cpu: 3, memory: 268_435_456, kills: 7 });
});

test('version 1 without limits', () => {
  write({
    'proc/self/cgroup': '4:memory:/x\n1:cpu:/\n',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/memory/x/memory.limit_in_bytes': '9223372036854771712\n',
  });
  expect(read()).toEqual({ cpu: null, memory: null, kills: 0 });
});

test('nothing there', () => {
  expect(read()).toEqual({ cpu: null, memory: null, kills: 0 });
});

test.each([
  [null, 8, 8],
  [null, 1, 2],
  [0.5, 8, 2],
  [2.5, 8, 3],
  [16, 4, 4],
  [null, 999, 256],
])('limit %s of %i CPUs: auto is %i processes', (limit, available, processes) => {
  expect(autoProcesses(limit, available)).toBe(processes);
});
