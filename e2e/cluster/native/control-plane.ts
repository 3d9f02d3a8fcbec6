// etcd, API server, controllers and scheduler of a native cluster: they live in the cluster's own network, beside its nodes.
import { join } from 'node:path';
import { type Api, makeApi } from '../api.ts';
import { type Daemon, spawnDaemon } from '../daemons.ts';
import { etcdFlags, type Place, schedulerFlags } from '../flags.ts';
import { makePki, type Pki, writeKubeconfig } from '../pki.ts';
import { untilReady } from '../until.ts';
import { API_SERVER_PORT, API_SERVER_SERVICE, CONTROL_PLANE_ADDRESS } from './addresses.ts';
import { apiServerFlags, controllerManagerFlags, FRONT_PROXY } from './flags.ts';

export interface ControlPlane {
  readonly api: Api;
  readonly pki: Pki;
  /** @returns path of a kubeconfig for use inside the cluster's network */
  kubeconfig(user: string, group?: string): string;
  /** Resolves when it is ready. Nothing happens when it runs. */
  startApiServer(): Promise<void>;
  /** SIGKILL. */
  stopApiServer(): Promise<void>;
  startControllers(): readonly Daemon[];
}

/** The administrator's, for use on the machine, outside the cluster's network. */
export const KUBECONFIG = 'admin.kubeconfig';
/** Its certificate and key, and the authority, as files in the cluster's folder. */
export const ADMINISTRATOR = { certFile: 'administrator.crt', keyFile: 'administrator.key', caFile: 'ca.crt' } as const;

const ADMINISTRATORS = 'system:masters';
const SERVER = new URL(`https://${CONTROL_PLANE_ADDRESS}:${API_SERVER_PORT}`);

/** @param outsidePort the API server's on the machine. @param programs folders of etcd and kubernetes. @returns with etcd and the API server on their way */
export function startControlPlane(
  folder: string,
  outsidePort: number,
  programs: { readonly etcd: string; readonly kubernetes: string },
): ControlPlane {
  const start = (path: string, args: readonly string[]): Daemon =>
    spawnDaemon(path.slice(path.lastIndexOf('/') + 1), path, args, folder);
  const etcdPlace = { folder, etcdPort: 2379, etcdPeerPort: 2380, serverPort: API_SERVER_PORT };
  // It needs no certificate, and starts while they are made.
  const etcd = start(join(programs.etcd, 'etcd'), etcdFlags(etcdPlace));
  const pki = makePki(folder, [`IP:${CONTROL_PLANE_ADDRESS}`, `IP:${API_SERVER_SERVICE}`]);
  const place: Place = { ...etcdPlace, pki };
  const admin = pki.client('administrator', ADMINISTRATORS);
  writeKubeconfig(join(folder, KUBECONFIG), new URL(`https://127.0.0.1:${outsidePort}`), pki, admin);
  const api = makeApi(SERVER, pki.caFile, admin);
  const flags = apiServerFlags(place, {
    kubelet: pki.client('kube-apiserver-kubelet-client', ADMINISTRATORS),
    frontProxy: pki.client(FRONT_PROXY),
  });
  let apiServer: Daemon | undefined;
  const kubernetes = (name: string): string => join(programs.kubernetes, name);
  const kubeconfig = (user: string, group?: string): string =>
    writeKubeconfig(join(folder, `${user.replaceAll(':', '-')}.kubeconfig`), SERVER, pki, pki.client(user, group));
  return {
    api,
    pki,
    kubeconfig,
    startApiServer: async () => {
      apiServer ??= start(kubernetes('kube-apiserver'), flags);
      await untilReady(etcd, 'answers', async () => (await fetch('http://127.0.0.1:2379/health')).ok);
      await untilReady(apiServer, 'is ready', async () => (await api.call('GET', '/readyz')).status === 200);
    },
    stopApiServer: async () => {
      await apiServer?.stop('SIGKILL');
      apiServer = undefined;
    },
    startControllers: () => [
      start(
        kubernetes('kube-controller-manager'),
        controllerManagerFlags(place, kubeconfig('system:kube-controller-manager')),
      ),
      start(kubernetes('kube-scheduler'), schedulerFlags(kubeconfig('system:kube-scheduler'))),
    ],
  };
}
