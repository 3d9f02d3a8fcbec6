// What is done inside a node of kind, which is a container: the arguments of `docker`. Pure.

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
/** Out of the folder that the kubelet watches. */
const MANIFEST_ASIDE = '/etc/kubernetes/kube-apiserver.yaml.aside';

/** @param containerId of the runtime, without `containerd://`. Only its process 1 is signalled; the kernel ends the others with it */
export function killTask(node: string, containerId: string, signal: string): string[] {
  return ['exec', node, 'ctr', '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', signal, containerId];
}

/** The kubelet ends the pod of a manifest that is gone, and starts one that is there. Both again are safe. */
export const takeManifestAway = (node: string): string[] => move(node, MANIFEST, MANIFEST_ASIDE);
export const putManifestBack = (node: string): string[] => move(node, MANIFEST_ASIDE, MANIFEST);

const move = (node: string, from: string, to: string): string[] => [
  ...['exec', node, 'sh', '-c', `test ! -e ${from} || mv ${from} ${to}`],
];

/** Prints ids, a line each. */
export const apiServerContainers = (node: string): string[] => [
  ...['exec', node, 'crictl', 'ps', '--quiet', '--name', '^kube-apiserver$'],
];
/** Prints ids, a line each. None: the kubelet has noticed, and starts no container again. */
export const apiServerPods = (node: string): string[] => [
  ...['exec', node, 'crictl', 'pods', '--quiet', '--state', 'Ready', '--namespace', 'kube-system'],
  ...['--label', 'component=kube-apiserver'],
];

export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** @param id as in a pod's status: `containerd://0123…`. @throws Error when it is none */
export function runtimeId(id: string | undefined): string {
  const found = /^containerd:\/\/([0-9a-f]+)$/.exec(id ?? '')?.[1];
  if (found === undefined) throw new Error(`${id ?? 'no id'} is no id of a container of containerd: it does not run`);
  return found;
}
