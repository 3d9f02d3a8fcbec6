// Versions as they are made, and the ControllerRevisions that keep them.
import { resolveRuntime } from '../../../core/config/worker.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { LABEL, names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { type Revision, revisionData } from '../revision.ts';
import { digest } from './canonical.ts';
import { makeChild } from './child.ts';
import type { PodTemplate, RenderInput, StaticVersion } from './input.ts';
import { proxyTemplate } from './proxy-template.ts';
import { workerTemplate } from './worker-template.ts';

interface Made {
  readonly inputs: string;
  readonly number: number;
  readonly configHash: string;
}

/** @returns a new version, its template complete. `number`: one more than the highest there is */
export function makeWorkerRevision(input: RenderInput, made: Made): Revision {
  const { app, runtime } = input.webApp.spec;
  return {
    ...makeRevision(input, 'worker', made, (id) => workerTemplate(input, id)),
    config: { app, runtime: resolveRuntime(app, runtime) },
  };
}

export function makeProxyRevision(input: RenderInput, statics: readonly StaticVersion[], made: Made): Revision {
  return makeRevision(input, 'proxy', made, (id) => proxyTemplate(input, statics, id));
}

export function renderControllerRevision(webApp: LiveWebApp, revision: Revision): KubeObject {
  const { component, id, number } = revision;
  const name = names.revision(webApp.metadata.name, component, id);
  return makeChild(
    webApp,
    'ControllerRevision',
    { name, component, labels: { [LABEL.revision]: id } },
    {
      revision: number,
      data: revisionData(revision),
    },
  );
}

/** The template holds its own id, so that the id is made over the template without one. */
function makeRevision(
  { webApp }: RenderInput,
  component: 'worker' | 'proxy',
  { inputs, number, configHash }: Made,
  template: (id: string) => PodTemplate,
): Revision {
  const id = digest({ inputs, template: template('') }, 10);
  return { id, component, number, inputs, image: webApp.spec.image, template: template(id), configHash };
}
