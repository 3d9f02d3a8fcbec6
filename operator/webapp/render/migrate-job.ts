// The Job that runs before a version is rolled out, in its image and surroundings.
import { parseDuration } from '../../../core/quantity.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { labels, names } from '../names.ts';
import type { LiveWebApp } from '../observed.ts';
import { appContainerIn, applicationContainer, applicationPod } from './application-container.ts';
import { digest } from './canonical.ts';
import { makeChild } from './child.ts';
import type { RenderInput } from './input.ts';
import { type Mapping, mappingOf } from './overlay.ts';
import { workerTemplate } from './worker-template.ts';

/** Of the person's template only where the pod may run and what it may do: a container beside the migration would keep the Job from ending. */
const PLACEMENT = [
  'affinity',
  'dnsConfig',
  'dnsPolicy',
  'hostAliases',
  'nodeSelector',
  'priorityClassName',
  'runtimeClassName',
  'schedulerName',
  'securityContext',
  'tolerations',
];
/** …and of the application's container in it. */
const CONTAINER = ['imagePullPolicy', 'securityContext', 'workingDir'];

/** 10 hex digits over image and command (and name: long ones are cut in the Job's); undefined: no migration is wanted. */
export function migrationKey({ metadata, spec }: LiveWebApp): string | undefined {
  if (spec.migrate === undefined) return undefined;
  return digest({ name: metadata.name, image: spec.image, command: spec.migrate.command }, 10);
}

export function renderMigrateJob(input: RenderInput, key: string): KubeObject {
  const { webApp } = input;
  const { name } = webApp.metadata;
  const { command = [], timeout = '10m' } = webApp.spec.migrate ?? {};
  const laidOver = workerTemplate(input, '');
  return makeChild(
    webApp,
    'Job',
    { name: names.migrate(name, key), component: 'migrate' },
    {
      spec: {
        // Once: a migration that failed halfway is not to be tried blindly. It stays until a later one takes its place, for its log.
        backoffLimit: 0,
        activeDeadlineSeconds: Math.ceil(parseDuration(timeout) / 1000),
        template: {
          metadata: { labels: labels(name, 'migrate') },
          spec: {
            ...applicationPod(webApp),
            ...pick(mappingOf(laidOver['spec']), PLACEMENT),
            restartPolicy: 'Never',
            containers: [
              {
                ...applicationContainer(webApp),
                ...pick(appContainerIn(laidOver), CONTAINER),
                name: 'migrate',
                command,
              },
            ],
          },
        },
      },
    },
  );
}

function pick(from: Mapping, fields: readonly string[]): Mapping {
  return Object.fromEntries(Object.entries(from).filter(([field]) => fields.includes(field)));
}
