// What kind is told: node images, how many nodes, and the settings that make waiting short. Pure.

/** The version of programs/kind/go.mod. Node images are built for one version of kind: they are raised together. */
export const KIND_VERSION = 'v0.33.0';

/** Of the release notes of kind v0.33.0. */
const NODE_IMAGES = {
  '1.35': 'kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0',
  '1.36': 'kindest/node:v1.36.4@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed',
  '1.37': 'kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5',
} as const;

export type Minor = keyof typeof NODE_IMAGES;
export const MINORS = Object.keys(NODE_IMAGES) as readonly Minor[];
const DEFAULT_MINOR: Minor = '1.36';

/**
 * @param wanted such as `1.37` or `v1.37`, of the variable KUBERNETES_MINOR; empty as if it were not set
 * @throws Error that names those there are
 */
export function pickMinor(wanted: string | undefined): Minor {
  if (wanted === undefined || wanted === '') return DEFAULT_MINOR;
  const found = MINORS.find((minor) => minor === wanted.replace(/^v/, ''));
  if (found === undefined) throw new Error(`KUBERNETES_MINOR ${wanted}: write one of ${MINORS.join(', ')}`);
  return found;
}

/** The autoscaler looks often and believes a new pod's CPU soon: the defaults are 15 s, 5 min and 30 s. */
const CONTROLLER_MANAGER_FLAGS = {
  'horizontal-pod-autoscaler-sync-period': '5s',
  'horizontal-pod-autoscaler-cpu-initialization-period': '10s',
  'horizontal-pod-autoscaler-initial-readiness-delay': '5s',
};

/**
 * kind merges a patch into every document of its kind; without apiVersion into kubeadm's v1beta3 (Kubernetes 1.35) and v1beta4 alike,
 * and then turns the map of extraArgs into the list that v1beta4 has.
 */
const KUBEADM_PATCHES: readonly object[] = [
  { kind: 'ClusterConfiguration', controllerManager: { extraArgs: CONTROLLER_MANAGER_FLAGS } },
  // With several nodes the first would take no pods, unlike native's. kind itself lifts the taint of a single one.
  { kind: 'InitConfiguration', nodeRegistration: { taints: [] } },
  { kind: 'KubeletConfiguration', nodeStatusUpdateFrequency: '1s' },
];

/**
 * @returns kind's configuration, to be written as JSON, which is YAML. Its own defaults stand for the rest: kindnet, which enforces
 *   NetworkPolicies, and an API server on a free port of 127.0.0.1
 */
export function makeKindConfig({ nodes, minor }: { readonly nodes: number; readonly minor: Minor }): object {
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    kubeadmConfigPatches: KUBEADM_PATCHES.map((patch) => JSON.stringify(patch)),
    nodes: Array.from({ length: nodes }, (_, index) => ({
      role: index === 0 ? 'control-plane' : 'worker',
      image: NODE_IMAGES[minor],
    })),
  };
}
