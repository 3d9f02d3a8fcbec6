// The HorizontalPodAutoscaler of the workers.
import { apiVersionOf, type KubeObject } from '../../../kube/object.ts';
import { CHILD_KINDS } from '../kinds.ts';
import { names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { APP_CONTAINER } from './application-container.ts';
import { makeChild } from './child.ts';

const DEFAULT_CPU_PERCENT = 80;

/** @returns nothing without `autoscaling`, and while suspended: there is nothing to scale then */
export function renderAutoscaler(webApp: LiveWebApp): KubeObject[] {
  const { autoscaling, suspend } = webApp.spec;
  if (autoscaling === undefined || suspend) return [];
  const { memoryPercent, cpuPercent = memoryPercent === undefined ? DEFAULT_CPU_PERCENT : undefined } = autoscaling;
  const name = names.worker(webApp.metadata.name);
  return [
    makeChild(
      webApp,
      'HorizontalPodAutoscaler',
      { name, component: 'worker' },
      {
        spec: {
          scaleTargetRef: { apiVersion: apiVersionOf(CHILD_KINDS.Deployment), kind: 'Deployment', name },
          minReplicas: autoscaling.minReplicas,
          maxReplicas: autoscaling.maxReplicas,
          metrics: [...metric('cpu', cpuPercent), ...metric('memory', memoryPercent)],
        },
      },
    ),
  ];
}

/** Of the application's container alone: a container of the person's that requests nothing would stop a metric over the whole pod. */
function metric(name: 'cpu' | 'memory', averageUtilization: number | undefined): object[] {
  if (averageUtilization === undefined) return [];
  const target = { type: 'Utilization', averageUtilization };
  return [{ type: 'ContainerResource', containerResource: { name, container: APP_CONTAINER, target } }];
}
