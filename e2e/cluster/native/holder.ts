// The process that owns a native cluster, started by provider.ts through keeper.sh and cluster.sh in namespaces of its own: with its end,
// whichever way it comes, everything ends. Wiring only.
import type { Server } from 'node:net';
import { join } from 'node:path';
import { type ClusterPlan, startNativeCluster } from './cluster.ts';
import { takeOrders } from './control.ts';
import { SOCKET } from './state.ts';

/** Started, or not: what the starter is told. */
export type Told = { readonly ready: true } | { readonly failed: string };

process.on('SIGINT', () => {});
// A starter that is gone before the cluster is ready does not want it any more.
const abandoned = (): never => process.exit(1);
process.once('disconnect', abandoned);
process.once('message', (plan: ClusterPlan, listener: Server) => {
  void hold(plan, listener).then(
    () =>
      tell({ ready: true }, () => {
        process.off('disconnect', abandoned);
        process.disconnect?.();
      }),
    (error: Error) => tell({ failed: error.message }, () => process.exit(1)),
  );
});

async function hold(plan: ClusterPlan, listener: Server): Promise<void> {
  const orders = await startNativeCluster(plan, listener);
  const close = async (): Promise<void> => void setImmediate(() => process.exit(0));
  const server = takeOrders(join(plan.folder, SOCKET), { ...orders, close });
  await new Promise((resolve) => server.once('listening', resolve));
}

function tell(told: Told, then: () => void): void {
  process.send?.(told, then);
}
