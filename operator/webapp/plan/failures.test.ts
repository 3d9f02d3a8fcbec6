import { expect, test } from 'vitest';
import type { WebAppStatus } from '../../../core/status/webapp.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Failure } from '../changes.ts';
import { LABEL } from '../names.ts';
import { withFailures } from './failures.ts';
import { FakeCluster, NOON } from './testing/fake-cluster.ts';

const object = (kind: string, component?: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'shop-x', ...(component !== undefined && { labels: { [LABEL.component]: component } }) },
});
const refused = (kind: string, message: string, component?: string): Failure => ({
  change: { verb: 'apply', object: object(kind, component), create: true, why: '' },
  type: 'refused',
  message,
});
const settled = (): WebAppStatus => {
  const cluster = new FakeCluster();
  cluster.settle();
  return cluster.webApp.status ?? {};
};
const degraded = (status: WebAppStatus) => status.conditions?.find(({ type }) => type === 'Degraded');

test.each([
  [
    'Deployment',
    'worker',
    'spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    'Refused',
    'spec.resources',
  ],
  [
    'Deployment',
    'proxy',
    'spec.template.spec.containers[0].resources.requests: Invalid value',
    'Refused',
    'spec.proxy.resources',
  ],
  ['Deployment', 'worker', 'spec.template.spec.containers[1].image: Required value', 'Refused', 'spec.podTemplate'],
  [
    'Deployment',
    'worker',
    'spec.template.spec.containers[0].ports[2].containerPort: Invalid value: 99999',
    'Refused',
    'spec.podTemplate',
  ],
  ['Deployment', 'worker', 'spec.template.spec.containers[0].env[3].name: Invalid value: "a b"', 'Refused', 'spec.env'],
  ['Deployment', 'worker', 'spec.template.spec.volumes[2].name: Duplicate value: "data"', 'Refused', 'spec.volumes'],
  ['Deployment', 'proxy', 'spec.template.spec.tolerations[0]: Invalid value', 'Refused', 'spec.proxy.podTemplate'],
  ['ControllerRevision', 'worker', 'etcdserver: request is too large', 'Refused', 'spec.podTemplate'],
  ['Ingress', undefined, 'spec.rules[0].host: Invalid value: "a_b"', 'Refused', 'spec.proxy.hosts'],
  ['Ingress', undefined, 'spec.ingressClassName: Invalid value', 'Refused', 'spec.proxy.expose'],
  [
    'NetworkPolicy',
    'proxy',
    'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "1.2.3.4/99"',
    'Refused',
    'spec.access.from',
  ],
  ['HorizontalPodAutoscaler', 'worker', 'spec.maxReplicas: Invalid value', 'Refused', 'spec.autoscaling'],
  [
    'Job',
    'migrate',
    'spec.template.spec.containers[0].resources.limits[cpu]: Invalid value',
    'Refused',
    'spec.resources',
  ],
  ['Service', undefined, 'exceeded quota: small, requested: services=1', 'QuotaExceeded', 'spec.proxy.expose'],
  ['Role', undefined, 'user "x" is attempting to grant RBAC permissions not currently held', 'Refused', 'spec'],
])('a %s (%s) refused: %s', (kind, component, message, type, field) => {
  const status = withFailures(settled(), [refused(kind, message, component)], undefined, NOON);
  expect(status.problems).toEqual([
    { type, field, message: `${kind} shop-x: ${message}`, mend: expect.stringMatching(/./) },
  ]);
  expect(status.state).toBe(type);
  expect(degraded(status)).toMatchObject({ status: 'True', reason: type, message: expect.stringContaining(message) });
});

test('a taken name is told with who has it', () => {
  const message = 'ConfigMap/shop-proxy is there already and belongs to Deployment/other';
  const failure: Failure = { ...refused('ConfigMap', ''), type: 'taken', message };
  expect(withFailures(settled(), [failure], undefined, NOON).problems).toMatchObject([
    { type: 'NameTaken', field: 'metadata.name', message },
  ]);
});

test('nothing failed: the very status', () => {
  const status = settled();
  expect(withFailures(status, [], undefined, NOON)).toBe(status);
});

test('refused again is the same status: nothing to write', () => {
  const planned = settled();
  const failures = [refused('Deployment', 'no', 'worker')];
  const first = withFailures(planned, failures, planned, NOON);
  expect(withFailures(planned, failures, first, NOON + 60_000)).toEqual(first);
});
