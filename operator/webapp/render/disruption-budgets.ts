// A drained node takes one pod at a time. Pods that are not healthy may always go: they would hold the drain for ever (KEP-3017).
import type { KubeObject } from '../../../kube/object.ts';
import { names, selectorLabels } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { makeChild } from './child.ts';

export function renderDisruptionBudgets(webApp: LiveWebApp): KubeObject[] {
  return (['worker', 'proxy'] as const).map((component) => {
    const { name } = webApp.metadata;
    return makeChild(
      webApp,
      'PodDisruptionBudget',
      { name: names[component](name), component },
      {
        spec: {
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: 'AlwaysAllow',
          selector: { matchLabels: selectorLabels(name, component) },
        },
      },
    );
  });
}
