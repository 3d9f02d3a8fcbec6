// What runs in kube-system: CoreDNS and metrics-server, as Deployments of images imported before; and what the nodes' firewalls may read. Pure: manifests only.
import { CLUSTER_DOMAIN, DNS_SERVICE, placeOfNode } from './addresses.ts';

export const COREDNS_IMAGE = 'webapp.invalid/coredns:1';
export const METRICS_SERVER_IMAGE = 'webapp.invalid/metrics-server:1';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Path of the API to which each is posted, in an order in which nothing is missing. */
export function addOns(): readonly { readonly path: string; readonly body: Manifest }[] {
  return [...firewallRights(), ...coreDns(), ...metricsServer()].map((body) => ({ path: collectionOf(body), body }));
}

/** The Deployments among them: the cluster is ready when they are. */
export const ADD_ON_DEPLOYMENTS = ['coredns', 'metrics-server'] as const;

const NAMESPACE = 'kube-system';

function collectionOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${kind.toLowerCase()}s`;
}

const inNamespace = (name: string) => ({ name, namespace: NAMESPACE, labels: { app: name } });

function serviceAccount(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inNamespace(name) };
}

function clusterRole(name: string, rules: readonly object[], labels: Readonly<Record<string, string>> = {}): Manifest {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name, labels }, rules };
}

function bind(name: string, account: string, roleKind: 'ClusterRole' | 'Role', role: string): Manifest {
  const isRole = roleKind === 'Role';
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: isRole ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: isRole ? { name, namespace: NAMESPACE } : { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: role },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }],
  };
}

/** Who enforces NetworkPolicies, on every node. */
export const FIREWALL_USER = 'system:kube-router';

/** As kube-router's own daemonset/ has it. It is no pod: it begins before there are any. */
function firewallRights(): Manifest[] {
  const verbs = ['get', 'list', 'watch'];
  return [
    clusterRole(FIREWALL_USER, [
      { apiGroups: [''], resources: ['namespaces', 'pods', 'services', 'nodes', 'endpoints'], verbs },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs },
    ]),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: FIREWALL_USER },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: FIREWALL_USER },
      subjects: [{ kind: 'User', name: FIREWALL_USER, apiGroup: 'rbac.authorization.k8s.io' }],
    },
  ];
}

/**
 * No outside to ask: what is not the cluster's does not exist, and is said so at once. In a block of its own, since `template` comes before
 * `kubernetes` whatever their order here.
 */
const COREFILE = `${CLUSTER_DOMAIN}:5353 in-addr.arpa:5353 ip6.arpa:5353 {
  errors
  health :8080
  ready :8181
  kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
    pods insecure
    ttl 5
  }
  cache 5
  loadbalance
}
.:5353 {
  errors
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;

function coreDns(): Manifest[] {
  const rules = [
    { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ];
  const ports = [
    { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, targetPort: 5353, protocol: 'TCP' },
  ];
  return [
    serviceAccount('coredns'),
    clusterRole('system:coredns', rules),
    bind('system:coredns', 'coredns', 'ClusterRole', 'system:coredns'),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: inNamespace('coredns'), data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...inNamespace('kube-dns'), labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' } },
      spec: { clusterIP: DNS_SERVICE, selector: { app: 'coredns' }, ports },
    },
    deployment('coredns', {
      image: COREDNS_IMAGE,
      args: ['-conf', '/etc/coredns/Corefile'],
      readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
      volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
    }),
  ];
}

/** As manifests/base of metrics-server's module. Certificates of kubelets are their own: nobody signs them here. */
function metricsServer(): Manifest[] {
  const reader = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
  return [
    serviceAccount('metrics-server'),
    clusterRole(
      'system:aggregated-metrics-reader',
      [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
      reader,
    ),
    clusterRole('system:metrics-server', [
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
    ]),
    bind('system:metrics-server', 'metrics-server', 'ClusterRole', 'system:metrics-server'),
    bind('metrics-server:system:auth-delegator', 'metrics-server', 'ClusterRole', 'system:auth-delegator'),
    bind('metrics-server-auth-reader', 'metrics-server', 'Role', 'extension-apiserver-authentication-reader'),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: inNamespace('metrics-server'),
      spec: { selector: { app: 'metrics-server' }, ports: [{ name: 'https', port: 443, targetPort: 10250 }] },
    },
    deployment('metrics-server', {
      image: METRICS_SERVER_IMAGE,
      args: [
        '--cert-dir=/tmp',
        '--secure-port=10250',
        '--kubelet-preferred-address-types=InternalIP',
        '--kubelet-insecure-tls',
        '--metric-resolution=2s',
      ],
      readinessProbe: { httpGet: { path: '/readyz', port: 10250, scheme: 'HTTPS' }, periodSeconds: 1 },
      volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    }),
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        service: { name: 'metrics-server', namespace: NAMESPACE },
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ];
}

interface AddOn {
  readonly image: string;
  readonly args: readonly string[];
  readonly readinessProbe: object;
  readonly volumeMounts: readonly object[];
  readonly volumes: readonly object[];
}

/** Tolerates everything: it is on its way before the node is Ready, and stays when a test taints it. */
function deployment(name: string, { image, args, readinessProbe, volumeMounts, volumes }: AddOn): Manifest {
  const container = {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    args,
    readinessProbe,
    volumeMounts,
    resources: { requests: { cpu: '100m', memory: '32Mi' } },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_532,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: inNamespace(name),
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          serviceAccountName: name,
          priorityClassName: 'system-cluster-critical',
          tolerations: [{ operator: 'Exists' }],
          // The node that tests leave alone.
          nodeSelector: { 'kubernetes.io/hostname': placeOfNode(0).name },
          containers: [container],
          volumes,
        },
      },
    },
  };
}
