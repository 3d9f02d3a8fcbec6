// The command lines of the control plane's programs: pure, one function each.
import { join } from 'node:path';
import type { Pki } from './pki.ts';

/** Where things lie and listen. */
export interface Place {
  readonly folder: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly serverPort: number;
  readonly pki: Pki;
}

/** Requests a second that a controller may send; its bursts are twice that. */
const QPS = 2000;
const limits = [`--kube-api-qps=${QPS}`, `--kube-api-burst=${QPS * 2}`];

export function etcdFlags({ folder, etcdPort, etcdPeerPort }: Omit<Place, 'pki'>): string[] {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  return [
    '--name=test',
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=test=${peer}`,
    '--log-level=warn',
    // What is lost with the machine was thrown away with the cluster.
    '--unsafe-no-fsync',
    `--quota-backend-bytes=${4 * 2 ** 30}`,
  ];
}

export function apiServerFlags({ folder, etcdPort, serverPort, pki }: Place): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${serverPort}`,
    // Loopback is refused for endpoints; nobody is told this one.
    '--advertise-address=192.0.2.1',
    '--endpoint-reconciler-type=none',
    `--cert-dir=${folder}`,
    `--tls-cert-file=${pki.server.certFile}`,
    `--tls-private-key-file=${pki.server.keyFile}`,
    `--client-ca-file=${pki.caFile}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    '--service-cluster-ip-range=10.96.0.0/12',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki.serviceAccountKeyFile}`,
    `--service-account-signing-key-file=${pki.serviceAccountKeyFile}`,
    '--profiling=false',
    '--v=0',
  ];
}

export function controllerManagerFlags({ pki }: Place, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki.serviceAccountKeyFile}`,
    `--root-ca-file=${pki.caFile}`,
    '--concurrent-deployment-syncs=20',
    '--concurrent-replicaset-syncs=20',
    '--concurrent-service-endpoint-syncs=20',
    ...limits,
    '--v=0',
  ];
}

export function schedulerFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    ...limits,
    '--v=0',
  ];
}

/** @param stages paths of Stage files, without which kwok does nothing */
export function kwokFlags(kubeconfig: string, stages: readonly string[], podCidr: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--manage-all-nodes=true',
    `--cidr=${podCidr}`,
    '--node-ip=192.0.2.2',
    '--node-lease-duration-seconds=40',
    ...stages.map((path) => `--config=${path}`),
    '--v=WARN',
  ];
}
