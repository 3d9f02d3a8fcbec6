// The command lines of a cluster that runs pods, beyond those of a bare control plane: pure, one function each.
import { join } from 'node:path';
import { type Place, schedulerFlags } from '../flags.ts';
import { API_SERVER_PORT, CONTROL_PLANE_ADDRESS, type NodePlace, POD_RANGE, SERVICE_RANGE } from './addresses.ts';
import type { NodeFiles } from './node-files.ts';

/** Certificates that the API server shows to kubelets and to the servers of aggregated APIs. */
export interface ServerClients {
  readonly kubelet: { readonly certFile: string; readonly keyFile: string };
  readonly frontProxy: { readonly certFile: string; readonly keyFile: string };
}

/** The name that the certificate of `frontProxy` carries. */
export const FRONT_PROXY = 'front-proxy-client';

export function apiServerFlags({ folder, etcdPort, pki }: Place, clients: ServerClients): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=0.0.0.0',
    `--secure-port=${API_SERVER_PORT}`,
    // Loopback is refused for endpoints.
    `--advertise-address=${CONTROL_PLANE_ADDRESS}`,
    `--cert-dir=${folder}`,
    `--tls-cert-file=${pki.server.certFile}`,
    `--tls-private-key-file=${pki.server.keyFile}`,
    `--client-ca-file=${pki.caFile}`,
    `--kubelet-client-certificate=${clients.kubelet.certFile}`,
    `--kubelet-client-key=${clients.kubelet.keyFile}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--proxy-client-cert-file=${clients.frontProxy.certFile}`,
    `--proxy-client-key-file=${clients.frontProxy.keyFile}`,
    `--requestheader-client-ca-file=${pki.caFile}`,
    `--requestheader-allowed-names=${FRONT_PROXY}`,
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    // No kube-proxy where it runs: it reaches pods by their own addresses.
    '--enable-aggregator-routing=true',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki.serviceAccountKeyFile}`,
    `--service-account-signing-key-file=${pki.serviceAccountKeyFile}`,
    '--profiling=false',
    '--v=0',
  ];
}

/** Its own defaults but where tests would wait for minutes: the autoscaler looks every 5 s and believes a pod's CPU after 10. */
export function controllerManagerFlags({ pki }: Place, kubeconfig: string): string[] {
  return [
    ...schedulerFlags(kubeconfig),
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki.serviceAccountKeyFile}`,
    `--root-ca-file=${pki.caFile}`,
    `--cluster-cidr=${POD_RANGE}`,
    '--horizontal-pod-autoscaler-sync-period=5s',
    '--horizontal-pod-autoscaler-cpu-initialization-period=10s',
    '--horizontal-pod-autoscaler-initial-readiness-delay=5s',
  ];
}

export function kubeletFlags(files: NodeFiles, kubeconfig: string, { name, address, index }: NodePlace): string[] {
  return [
    `--config=${files.kubeletConfig}`,
    `--kubeconfig=${kubeconfig}`,
    `--root-dir=${join(files.folder, 'kubelet')}`,
    `--cert-dir=${join(files.folder, 'kubelet-pki')}`,
    `--hostname-override=${name}`,
    `--node-ip=${address}`,
    `--node-labels=topology.kubernetes.io/zone=zone-${index}`,
    // Hidden, and cAdvisor's own: 10 s is what metrics would lag by otherwise.
    '--housekeeping-interval=2s',
    '--v=0',
  ];
}

/** Of kube-router: that NetworkPolicies hold, and nothing else of what it can do. @see https://www.kube-router.io/docs/user-guide/ */
export function firewallFlags(kubeconfig: string, { name }: NodePlace): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${name}`,
    '--run-firewall=true',
    '--run-router=false',
    '--run-service-proxy=false',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
  ];
}
