// What a native cluster is made of, for reports.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Api } from '../api.ts';
import { run } from './command.ts';

/** @returns by part, such as `{kubernetes: 'v1.36.3', containerd: '1.6.20', …}` */
export async function versionsOf(api: Api): Promise<Readonly<Record<string, string>>> {
  const { gitVersion } = await api.json<{ gitVersion: string }>('GET', '/version');
  return {
    kubernetes: gitVersion,
    etcd: moduleVersion('etcd', 'go.etcd.io/etcd/server/v3'),
    CoreDNS: moduleVersion('coredns', 'github.com/coredns/coredns'),
    'metrics-server': moduleVersion('metrics-server', 'sigs.k8s.io/metrics-server'),
    'kube-router': moduleVersion('kube-router', 'github.com/cloudnativelabs/kube-router'),
    containerd: firstVersion(await run('containerd', ['--version'])),
    runc: firstVersion(await run('runc', ['--version'])),
    linux: release(),
  };
}

function moduleVersion(program: string, module: string): string {
  const text = readFileSync(fileURLToPath(new URL(`../programs/${program}/go.mod`, import.meta.url)), 'utf8');
  return new RegExp(`${module} v(\\S+)`).exec(text)?.[1] ?? 'unknown';
}

const firstVersion = (text: string): string => /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown';
