// The pod template of the workers. Nothing that changes in place is in it: that lives in worker.json.
import { parseDuration } from '../../../core/quantity.ts';
import { names, PORT } from '../names.ts';
import { APP_CONTAINER, applicationContainer, applicationPod } from './application-container.ts';
import type { PodTemplate, RenderInput } from './input.ts';
import { overlay } from './overlay.ts';
import { restartAnnotation } from './restart.ts';
import { gracePeriodSeconds, graceStep, PROBES, podLabels, podMetadata, portsOf, spreadOf } from './serving-pod.ts';

export const WORKER_CONFIG_KEY = 'worker.json';

const CONFIG_FOLDER = '/etc/webapp';
const CONFIG_VOLUME = 'webapp-config';

/** @param revision label, and end of the ConfigMap's name */
export function workerTemplate({ webApp, settings }: RenderInput, revision: string): PodTemplate {
  const { name } = webApp.metadata;
  const pod = applicationPod(webApp);
  const container = applicationContainer(webApp);
  const template = {
    metadata: podMetadata(name, 'worker', {
      revision,
      adminPort: PORT.workerAdmin,
      annotations: restartAnnotation(webApp.metadata.annotations),
    }),
    spec: {
      ...pod,
      terminationGracePeriodSeconds: gracePeriodSeconds(workerGraceStep(webApp), settings.drainDelayMs),
      topologySpreadConstraints: spreadOf(name, 'worker'),
      volumes: [{ name: CONFIG_VOLUME, configMap: { name: names.workerConfig(name, revision) } }, ...pod.volumes],
      containers: [
        {
          ...container,
          name: APP_CONTAINER,
          command: ['webapp-worker'],
          args: workerArgs(settings.drainDelayMs),
          ports: portsOf(PORT.worker, PORT.workerAdmin),
          ...PROBES,
          // A folder and never a subPath, which the kubelet does not refresh.
          volumeMounts: [{ name: CONFIG_VOLUME, mountPath: CONFIG_FOLDER, readOnly: true }, ...container.volumeMounts],
        },
      ],
    },
  };
  return overlay(template, webApp.spec.podTemplate, podLabels(name, 'worker', revision));
}

export function workerGraceStep({ spec }: RenderInput['webApp']): number {
  return graceStep(parseDuration(spec.workers.gracefulTimeout));
}

/**
 * --on-boot-error stays `exit`: the kubelet then backs off, the pod's status holds the traceback, and everyone's tools know a
 * crash loop. `retry` would hide it behind a pod that merely is not ready.
 */
function workerArgs(drainDelayMs: number): string[] {
  return [
    ...['--config', `${CONFIG_FOLDER}/${WORKER_CONFIG_KEY}`],
    ...['--listen', `0.0.0.0:${PORT.worker}`, '--admin', `0.0.0.0:${PORT.workerAdmin}`],
    // The image's working directory is the application's folder.
    ...['--directory', '.', '--drain-delay', `${drainDelayMs}ms`],
  ];
}
