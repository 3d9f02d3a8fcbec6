// The configuration files of one node's programs: pure, one function each. All but containerd's are JSON, which is YAML.
import { join } from 'node:path';
import { CLUSTER_DOMAIN, DNS_SERVICE, type NodePlace, POD_RANGE } from './addresses.ts';
import type { NodeFiles } from './node-files.ts';

export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
/** Imported into every node's store before its first pod. */
export const PAUSE_IMAGE = 'webapp.invalid/pause:1';

/**
 * @param cgroup path of a cgroup made for this node in every hierarchy: two kubelets under one remove each other's pods
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export function kubeletConfig(files: NodeFiles, caFile: string, cgroup: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: caFile } },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [DNS_SERVICE],
    clusterDomain: CLUSTER_DOMAIN,
    resolvConf: files.resolvConf,
    volumePluginDir: join(files.folder, 'volume-plugins'),
    // Looked at every second, written when it has changed: that it lives, its Lease says.
    nodeStatusUpdateFrequency: '1s',
    nodeStatusReportFrequency: '1m',
    // The disk is the whole machine's: its fill says nothing of this cluster, and its images were imported, not pulled.
    evictionHard: { 'memory.available': '1%', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
  };
}

/** Zeros: the connection table's bounds are the whole machine's. @see https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
export function kubeProxyConfig(kubeconfig: string, { name }: NodePlace): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    hostnameOverride: name,
    clusterCIDR: POD_RANGE,
    clientConnection: { kubeconfig },
    oomScoreAdj: 0,
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: '0s',
      tcpCloseWaitTimeout: '0s',
      udpTimeout: '0s',
      udpStreamTimeout: '0s',
    },
  };
}

/** Pods on a bridge of the node, with the node's own range; the way to the others' ranges is routed (node.sh). */
export function cniConfig({ podRange }: NodePlace): object {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods',
        isGateway: true,
        // A pod may reach itself through a Service.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: '/run/cni',
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Version 2 of its configuration, as containerd 1.6 and 1.7 read it. */
export function containerdConfig({ folder, cniFolder }: NodeFiles): string {
  return `version = 2
root = "${join(folder, 'containerd')}"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  # Without CAP_SYS_RESOURCE nobody may lower it, and no pod would start.
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${cniFolder}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "/usr/sbin/runc"
  SystemdCgroup = false
`;
}
