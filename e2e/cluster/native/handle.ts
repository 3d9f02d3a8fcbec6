// A native cluster as those see it who use it, in any process of this machine: files in its folder, orders to its holder.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeApi } from '../api.ts';
import { installForeignApi } from '../foreign-apis.ts';
import { makeKubectl } from '../kubectl.ts';
import type { ClusterState, RealCluster } from '../real-cluster.ts';
import { until } from '../until.ts';
import { giveOrder, type Orders } from './control.ts';
import { ADMINISTRATOR, KUBECONFIG } from './control-plane.ts';
import { readDetails, SOCKET } from './state.ts';
import { versionsOf } from './versions.ts';

/** @throws Error when it does not run any more */
export async function openCluster({ folder }: ClusterState): Promise<RealCluster> {
  const details = readDetails(folder);
  const kubeconfig = join(folder, KUBECONFIG);
  const kubectlProgram = join(details.kubernetes, 'kubectl');
  const kubectl = makeKubectl(kubectlProgram, kubeconfig, folder);
  const kubectlOk: RealCluster['kubectlOk'] = async (args, options) => {
    const { code, stdout, stderr } = await kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  };
  const file = (name: string): string => join(folder, name);
  const admin = { certFile: file(ADMINISTRATOR.certFile), keyFile: file(ADMINISTRATOR.keyFile) };
  const api = makeApi(new URL(`https://127.0.0.1:${details.port}`), file(ADMINISTRATOR.caFile), admin);
  const order = <Name extends keyof Orders>(name: Name, ...args: Parameters<Orders[Name]>): Promise<void> =>
    giveOrder(file(SOCKET), name, ...args);
  await order('answer');
  return {
    provider: 'native',
    kubeconfig,
    kubectl,
    kubectlProgram,
    kubectlOk,
    api,
    nodes: details.nodes,
    versions: () => versionsOf(api),
    loadImages: async (archive) => {
      if (!existsSync(archive)) throw new Error(`no archive of images at ${archive}`);
      await order('loadImages', { archive: resolve(archive) });
    },
    killContainer: (container, signal) => order('killContainer', { ...container, signal }),
    stopApiServer: () => order('stopApiServer'),
    startApiServer: () => order('startApiServer'),
    installForeignApi: (name) => installForeignApi({ kubectlOk }, name),
    close: () => closeCluster(folder),
  };
}

/** The keeper removes the folder last. Twice is safe. */
export async function closeCluster(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  // It may be on its way out, by another's word or by itself.
  await giveOrder(join(folder, SOCKET), 'close').catch(() => {});
  await until(`end of the cluster in ${folder}`, () => !existsSync(folder));
}
