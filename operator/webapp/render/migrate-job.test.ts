import { describe, expect, it } from 'vitest';
import { migrationKey, renderMigrateJob } from './migrate-job.ts';
import { EVERY_FIELD, inputOf, liveWebApp } from './testing/samples.ts';
import { containerOf, type Template, workerOf } from './testing/templates.ts';

const migrate = (spec: object) => {
  const job = renderMigrateJob(inputOf(liveWebApp(spec)), 'key');
  return job['spec'] as { template: Template; [field: string]: unknown };
};

describe('the migration', () => {
  const { template, ...job } = migrate(EVERY_FIELD);

  it('runs once, in time, and stays', () => {
    expect(job).toEqual({ backoffLimit: 0, activeDeadlineSeconds: 300 });
    expect(template.spec['restartPolicy']).toBe('Never');
  });

  it('has the application’s surroundings and is no worker', () => {
    const container = containerOf(template);
    const { env, envFrom, image, resources, volumeMounts } = containerOf(
      workerOf({ ...EVERY_FIELD, podTemplate: undefined }),
    );
    expect(container).toMatchObject({
      name: 'migrate',
      command: ['flask', 'db', 'upgrade'],
      env,
      envFrom,
      image,
      resources,
    });
    expect(container.volumeMounts).toEqual(volumeMounts?.filter(({ mountPath }) => mountPath !== '/etc/webapp'));
    expect(container).not.toHaveProperty('ports');
    expect(container).not.toHaveProperty('readinessProbe');
    expect(template.metadata.labels['app.kubernetes.io/component']).toBe('migrate');
    expect(template.spec['imagePullSecrets']).toEqual([{ name: 'registry' }]);
  });

  it('runs where the person’s template lets the application run, without the containers beside it', () => {
    expect(template.spec.containers).toHaveLength(1);
    expect(template.spec['nodeSelector']).toEqual({ disk: 'ssd' });
    const writable = { containers: [{ name: 'app', securityContext: { readOnlyRootFilesystem: false } }] };
    const { securityContext } = containerOf(migrate({ ...EVERY_FIELD, podTemplate: { spec: writable } }).template);
    expect(securityContext).toMatchObject({ readOnlyRootFilesystem: false, allowPrivilegeEscalation: false });
  });

  it('has a key over image and command alone', () => {
    const keyOf = (spec: object) => migrationKey(liveWebApp({ ...EVERY_FIELD, ...spec }));
    expect(keyOf({})).toMatch(/^[0-9a-f]{10}$/);
    expect(keyOf({ env: [], replicas: 9, migrate: { ...EVERY_FIELD.migrate, timeout: '1h' } })).toBe(keyOf({}));
    expect(keyOf({ image: 'b' })).not.toBe(keyOf({}));
    expect(keyOf({ migrate: { command: ['other'] } })).not.toBe(keyOf({}));
    expect(keyOf({ migrate: undefined })).toBeUndefined();
  });
});
