// One candidate of a leader election as a process of its own, for kube-leader.test.ts: while it leads, it writes its identity into the
// ConfigMap `ledger` as often as it can, each write guarded by the version before. Ends when it has lost, and with its parent.
// Arguments: kubeconfig, namespace, identity, and the three times in milliseconds.
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { kubeconfigAccess } from '../../kube/access/kubeconfig.ts';
import { type Client, makeClient } from '../../kube/client.ts';
import { type LeaderElection, leaseTransport, makeLeaderElection } from '../../kube/leader.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { makeTransport } from '../../kube/transport.ts';

const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };

const [kubeconfig = '', namespace = '', identity = '', ...times] = process.argv.slice(2);
const [leaseMs = 0, renewDeadlineMs = 0, retryMs = 0] = times.map(Number);
const tell = (line: string): void => void process.stdout.write(`${line}\n`);
const log = makeLog(tell, systemClock.wall);

const access = await kubeconfigAccess({ path: kubeconfig });
const clientOf = (timeouts: 'of the Lease' | 'of others'): Client => {
  const transport = makeTransport({ access, log, clock: systemClock, userAgent: 'candidate' });
  return makeClient({
    transport: timeouts === 'of the Lease' ? leaseTransport(transport, renewDeadlineMs) : transport,
    fieldManager: 'candidate',
    metricPrefix: 'candidate',
  });
};
const writer = clientOf('of others');

const election = makeLeaderElection({
  client: clientOf('of the Lease'),
  namespace,
  name: 'candidates',
  identity,
  leaseMs,
  renewDeadlineMs,
  retryMs,
  onElected: () => void write(election),
  onLost: () => process.exit(0),
  log,
  clock: systemClock,
});

process.on('SIGTERM', () => void election.stop().then(() => process.exit(0)));
process.stdin.resume().on('end', () => process.exit(0));
election.start();

async function write(term: LeaderElection): Promise<void> {
  let ledger: KubeObject | undefined;
  while (term.isLeader()) {
    try {
      ledger ??= await writer.get(CONFIG_MAPS, { namespace, name: 'ledger' });
      if (!term.isLeader()) return;
      ledger = await writer.replace(CONFIG_MAPS, { ...ledger, data: { writer: identity, at: String(Date.now()) } });
    } catch {
      // Another has written, or the API server is away.
      ledger = undefined;
    }
    await wait(20);
  }
}
