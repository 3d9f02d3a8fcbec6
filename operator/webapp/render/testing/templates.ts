// Pod templates as the renderers' tests look at them.

import { proxyTemplate } from '../proxy-template.ts';
import { staticVersionOf } from '../statics.ts';
import { workerTemplate } from '../worker-template.ts';
import { inputOf, liveWebApp } from './samples.ts';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly args: string[];
  readonly env?: { name: string; value?: string }[];
  readonly envFrom?: object[];
  readonly resources: object;
  readonly volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  readonly securityContext: object;
}
export interface Template {
  readonly metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  readonly spec: {
    containers: Container[];
    initContainers?: Container[];
    volumes: { name: string }[];
    [field: string]: unknown;
  };
}

export function workerOf(spec: object = {}, metadata: object = {}): Template {
  return workerTemplate(inputOf(liveWebApp(spec, metadata)), 'abc') as unknown as Template;
}

export function proxyOf(spec: object = {}, images: readonly string[] = ['shop:2', 'shop:1']): Template {
  return proxyTemplate(inputOf(liveWebApp(spec)), images.map(staticVersionOf), 'abc') as unknown as Template;
}

/** @returns the first container */
export function containerOf({ spec }: Template): Container {
  const [container] = spec.containers;
  if (container === undefined) throw new Error('there is no container');
  return container;
}
