// The few answers of an API server that the provider asks for, over TLS with the certificates of e2e/cluster/pki.ts.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { makePki, type Pki, writeKubeconfig } from '../../pki.ts';

export interface FakeApi {
  readonly port: number;
  /** Path, of an administrator. */
  readonly kubeconfig: string;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  close(): void;
}

const node = (name: string) => ({
  metadata: { name },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    nodeInfo: { kubeletVersion: 'v1.37.0', containerRuntimeVersion: 'containerd://2.3.1', kernelVersion: '6.8.0' },
  },
});

/** @param folder for certificates. @param nodes gives their names, asked at every call */
export async function startFakeApi(folder: string, nodes: () => readonly string[]): Promise<FakeApi> {
  const pki = makePki(folder);
  const asked: string[] = [];
  const server = createServer(tlsOf(pki), (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const body = makeAnswers(nodes())[path];
    response.writeHead(body === undefined ? 404 : 200).end(JSON.stringify(body ?? { message: `no ${path}` }));
  });
  const port = await listen(server);
  const kubeconfig = `${folder}/admin.conf`;
  writeKubeconfig(kubeconfig, new URL(`https://127.0.0.1:${port}`), pki, pki.client('admin', 'system:masters'));
  return { port, kubeconfig, asked, close: () => server.close() };
}

function makeAnswers(nodes: readonly string[]): Readonly<Record<string, unknown>> {
  const kubeSystem = ['registry.k8s.io/etcd:3.6.16-0', 'registry.k8s.io/kube-apiserver:v1.37.0'].map((image) => ({
    spec: { containers: [{ image }] },
  }));
  const dns = { status: { conditions: [{ type: 'Available', status: 'True' }] } };
  return {
    '/version': { gitVersion: 'v1.37.0' },
    '/readyz': 'ok',
    '/api/v1/nodes': { items: nodes.map(node) },
    '/apis/metrics.k8s.io/v1beta1/nodes': { items: nodes },
    '/apis/apps/v1/namespaces/kube-system/deployments?labelSelector=k8s-app%3Dkube-dns': { items: [dns] },
    '/api/v1/namespaces/kube-system/pods': { items: kubeSystem },
    '/api/v1/namespaces/web/pods/shop-1': {
      spec: { nodeName: nodes.find((name) => name.endsWith('worker')) },
      status: { containerStatuses: [{ name: 'app', containerID: 'containerd://0123abcd' }, { name: 'waiting' }] },
    },
  };
}

function tlsOf({ caFile, server }: Pki) {
  return { ca: readFileSync(caFile), cert: readFileSync(server.certFile), key: readFileSync(server.keyFile) };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    }),
  );
}
