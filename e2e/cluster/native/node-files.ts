// Where a node's files lie. Pure.
import { join } from 'node:path';

/** Where a node keeps what is its own. */
export interface NodeFiles {
  readonly folder: string;
  readonly kubeletConfig: string;
  readonly proxyConfig: string;
  readonly containerdConfig: string;
  readonly resolvConf: string;
  readonly cniFolder: string;
}

export function filesOfNode(folder: string): NodeFiles {
  return {
    folder,
    kubeletConfig: join(folder, 'kubelet.json'),
    proxyConfig: join(folder, 'kube-proxy.json'),
    containerdConfig: join(folder, 'containerd.toml'),
    resolvConf: join(folder, 'resolv.conf'),
    cniFolder: join(folder, 'cni'),
  };
}
