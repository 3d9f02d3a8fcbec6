// What was there when a promise was broken: told with the failure, since the namespace goes.
import type { RealCluster } from '../cluster/real-cluster.ts';
import { OPERATOR_NAMESPACE } from './operator.ts';

const PART_CHARACTERS = 12_000;

/** Bounded in every part. What cannot be had says why, and does not hide the rest. */
export async function tellAbout(cluster: RealCluster, namespace: string): Promise<string> {
  const ofPods = ['--all-containers', '--prefix', '--ignore-errors'];
  const parts: readonly (readonly [string, readonly string[]])[] = [
    [
      'WebApps',
      [
        '-n',
        namespace,
        'get',
        'webapps',
        '-o',
        'jsonpath={range .items[*]}{.metadata.name} {.spec} {.status}{"\\n"}{end}',
      ],
    ],
    ['pods', ['-n', namespace, 'get', 'pods', '-o', 'wide']],
    ['EndpointSlices', ['-n', namespace, 'get', 'endpointslices']],
    ['events', ['-n', namespace, 'get', 'events', '--sort-by=.metadata.creationTimestamp', '--no-headers']],
    [
      'log of workers and proxies',
      ['-n', namespace, 'logs', '-l', 'webapp-operator.io/webapp', '--tail=30', ...ofPods],
    ],
    [
      'log of the operator',
      ['-n', OPERATOR_NAMESPACE, 'logs', '-l', 'app.kubernetes.io/component=operator', '--tail=40', ...ofPods],
    ],
  ];
  const told: string[] = [];
  for (const [title, args] of parts) told.push(`--- ${title} of ${namespace}\n${await tell(cluster, args)}`);
  return told.join('\n');
}

async function tell({ kubectl }: RealCluster, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await kubectl(args);
    return `${stdout}${stderr}`.slice(-PART_CHARACTERS);
  } catch (error) {
    return (error as Error).message;
  }
}
