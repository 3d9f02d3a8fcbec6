// By which fields the API tells the elements of its lists apart (`+listMapKey` in the types of k8s.io/api). A list that is not here is
// replaced as a whole: tolerations, envFrom, command, rules of Roles, Ingresses, NetworkPolicies and HTTPRoutes, metrics of an HPA, …

const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  resourceClaims: ['name'],
  claims: ['name'],
  schedulingGates: ['name'],
};
const CONTAINER_PORT: readonly string[] = ['containerPort', 'protocol'];
const SERVICE_PORT: readonly string[] = ['port', 'protocol'];

/**
 * @param kind of the object that the list is in
 * @param example an element: lists named `ports` are kept by key in containers and Services, and nowhere else
 * @returns undefined: the list is one value
 */
export function mergeKeysOf(field: string, kind: string, example: unknown): readonly string[] | undefined {
  if (field !== 'ports') return Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field] : undefined;
  if (kind === 'Service') return SERVICE_PORT;
  return typeof example === 'object' && example !== null && 'containerPort' in example ? CONTAINER_PORT : undefined;
}
