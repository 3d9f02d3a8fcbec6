// A Kubernetes that runs pods: etcd, control plane, kubelets, containers, DNS, metrics. Had by one of two providers, and used the same
// whichever it is: by `npm run cluster up` and by e2e/promises.
import type { Api } from './api.ts';
import type { Kubectl } from './kubectl.ts';

/** `kind` where a Docker daemon answers, else `native`: from Go modules and Debian's packages, in namespaces of its own. */
export type ProviderName = 'kind' | 'native';

export interface RealClusterOptions {
  /** Worker nodes included, 1 to 3. Default 1. */
  readonly nodes?: number;
}

/** Sets of CustomResourceDefinitions of others that a WebApp can make use of. */
export type ForeignApi = 'gateway-api' | 'cert-manager' | 'prometheus-operator';

export interface RealCluster {
  readonly provider: ProviderName;
  /** Path. An administrator's; works from this machine, outside all namespaces. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** The program that `kubectl` is, for what goes on, such as a port-forward: a path, or its name in the PATH. */
  readonly kubectlProgram: string;
  /** @returns stdout. @throws Error with stderr when it fails */
  kubectlOk(...call: Parameters<Kubectl>): Promise<string>;
  readonly api: Api;
  /** Names, the first is the one that tests should leave alone. */
  readonly nodes: readonly string[];
  /** What runs here, such as `{kubernetes: 'v1.36.3', etcd: '3.6.16', containerd: '1.6.20', runc: …, linux: …}`: for reports. */
  versions(): Promise<Readonly<Record<string, string>>>;
  /** Into every node's image store. @param archive path of an OCI layout (tar) with one or more named images, as scripts/images makes it */
  loadImages(archive: string): Promise<void>;
  /** From outside the pod, so that process 1 of it can be killed, too. */
  killContainer(
    container: { readonly namespace: string; readonly pod: string; readonly container: string },
    signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP',
  ): Promise<void>;
  /** Kills it: connections break. Resolves when nothing answers any more. */
  stopApiServer(): Promise<void>;
  /** Resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** Definitions only: nobody acts on what is made of them. Resolves when they are established. */
  installForeignApi(api: ForeignApi): Promise<void>;
  /** Ends the cluster and removes all of it. Twice is safe. */
  close(): Promise<void>;
}

/** What another process needs to use a cluster that runs: kept by `up`, handed on by tests. JSON. */
export interface ClusterState {
  readonly provider: ProviderName;
  /** Folder with kubeconfig, logs and whatever the provider wants to find again. */
  readonly folder: string;
}

export interface Provider {
  readonly name: ProviderName;
  /** @returns why no cluster can be had by this provider here and how to mend it, undefined when one can */
  whyNot(): string | undefined;
  /**
   * Builds what is not built yet, starts, and resolves when nodes, DNS and metrics are ready. What it starts outlives this process and
   * ends by `close` of any process that opened it.
   * @throws Error that says why, with the last lines of what did not start; nothing is left then
   */
  start(options: RealClusterOptions): Promise<ClusterState>;
  /** @throws Error when it does not run any more */
  open(state: ClusterState): Promise<RealCluster>;
}
