// For tests of the native cluster: pods of busybox, in an image made here.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RealCluster } from '../real-cluster.ts';
import { imageArchive } from './image-archive.ts';

const BUSYBOX = '/bin/busybox';

/** @param folder for the archive. @returns when pods can be made of it */
export async function loadBusybox(cluster: RealCluster, folder: string): Promise<void> {
  const files = [{ path: 'bin/busybox', content: readFileSync(BUSYBOX), mode: 0o755 }];
  const archive = join(folder, 'busybox.tar');
  writeFileSync(archive, imageArchive([{ name: 'docker.io/library/busybox:1', entrypoint: [BUSYBOX], files }]));
  await cluster.loadImages(archive);
}

/** A pod that runs this script of busybox' shell. @param spec over the pod's own */
export function podOf(name: string, script: string, spec: Readonly<Record<string, unknown>> = {}) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: podSpec(script, spec) };
}

/** As pod security calls restricted. Programs of busybox are called in full: `/bin/busybox wget`. /tmp can be written. */
export function podSpec(script: string, spec: Readonly<Record<string, unknown>> = {}) {
  const container = {
    name: 'main',
    image: 'busybox:1',
    args: ['sh', '-c', script],
    resources: { requests: { cpu: '10m', memory: '8Mi' } },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  const volumes = [{ name: 'tmp', emptyDir: {} }];
  return { terminationGracePeriodSeconds: 1, containers: [container], volumes, ...spec };
}

/** Serves, on 8080, a page that says `words`. */
export const serve = (words: string): string =>
  `echo ${words} >/tmp/index.html; echo begun; exec /bin/busybox httpd -f -p 8080 -h /tmp`;
export const WAIT = 'exec /bin/busybox sleep 3600';
