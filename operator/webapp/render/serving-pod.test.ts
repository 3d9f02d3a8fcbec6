// What worker and proxy pods have in common.
import { describe, expect, it } from 'vitest';
import { graceStep } from './serving-pod.ts';
import { inputOf, liveWebApp, SETTINGS } from './testing/samples.ts';
import { containerOf, proxyOf, workerOf } from './testing/templates.ts';
import { workerTemplate } from './worker-template.ts';

describe.each([
  ['worker', workerOf, 9000],
  ['proxy', proxyOf, 9090],
])('the %s', (component, template, admin) => {
  it('is restricted', () => {
    expect(template().spec['securityContext']).toEqual({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of [...template().spec.containers, ...(template().spec.initContainers ?? [])])
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
  });

  it('is probed on the admin port', () => {
    const get = (path: string) => ({ httpGet: { path, port: 'admin' } });
    expect(containerOf(template())).toMatchObject({
      startupProbe: get('/healthz'),
      readinessProbe: { ...get('/readyz'), periodSeconds: 2 },
      livenessProbe: get('/healthz'),
      ports: [{ name: 'http' }, { name: 'admin', containerPort: admin }],
    });
  });

  it('is spread over zones and nodes where that can be', () => {
    const spread = (topologyKey: string) =>
      expect.objectContaining({
        topologyKey,
        whenUnsatisfiable: 'ScheduleAnyway',
        matchLabelKeys: ['pod-template-hash'],
        labelSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': component }) },
      });
    expect(template().spec['topologySpreadConstraints']).toEqual([
      spread('topology.kubernetes.io/zone'),
      spread('kubernetes.io/hostname'),
    ]);
  });

  it('tells Prometheus where it is, and its last lines to whoever looks', () => {
    expect(template().metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(admin),
      'prometheus.io/path': '/metrics',
    });
    expect(containerOf(template())).toMatchObject({ terminationMessagePolicy: 'FallbackToLogsOnError' });
    expect(template().spec['enableServiceLinks']).toBe(false);
  });

  it('mounts its document as a folder', () => {
    const mount = containerOf(template()).volumeMounts?.find(({ mountPath }) => mountPath === '/etc/webapp');
    expect(mount).toEqual({ name: 'webapp-config', mountPath: '/etc/webapp', readOnly: true });
  });
});

describe('time to leave', () => {
  it.each([
    ['1s', 60],
    ['50s', 60],
    ['51s', 120],
    ['5m', 600],
    ['1h', 7200],
    ['24h', 90_000],
  ])('gracefulTimeout %s fits into %i seconds and the drain delay', (gracefulTimeout, seconds) => {
    expect(workerOf({ workers: { gracefulTimeout } }).spec['terminationGracePeriodSeconds']).toBe(seconds + 5);
  });

  it.each([
    [{}, 120],
    [{ workers: { timeout: '5m' } }, 600],
    [{ proxy: { timeouts: { response: '20m' } } }, 1800],
    [{ proxy: { timeouts: { requestHead: '1s', requestBody: '1s', send: '1s', response: '1s' } } }, 60],
  ])('the proxy’s longest request of %j fits into %i seconds', (spec, seconds) => {
    expect(proxyOf(spec).spec['terminationGracePeriodSeconds']).toBe(seconds + 5);
  });

  it('always holds what is asked for, and a slack', () => {
    for (let seconds = 1; seconds <= 86_400; seconds += 97)
      expect(graceStep(seconds * 1000)).toBeGreaterThanOrEqual(seconds + 10);
    expect(graceStep(100 * 3_600_000)).toBe(360_010);
  });

  it('a part of a second is a whole one', () => {
    const input = { ...inputOf(liveWebApp()), settings: { ...SETTINGS, drainDelayMs: 1500 } };
    expect(workerTemplate(input, '')['spec']).toMatchObject({ terminationGracePeriodSeconds: 62 });
  });
});
