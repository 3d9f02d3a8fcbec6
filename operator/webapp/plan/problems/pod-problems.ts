// What is wrong with pods, from what kubelet and scheduler say. Decided by state, never by time or count, so that it does not flap; of pods with the same
// problem the first by name speaks.
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import type { ContainerState, Pod } from '../../observed.ts';
import { endOf, isCrashing, isOutOfMemory, lastWordsOf } from './crash.ts';
import type { Found } from './degraded.ts';
import { fieldsOfContainer, podsOf, resourcesField, templateField } from './fields-of-pods.ts';
import { imageNamed, imagePullCause, imagePullMend, isImagePull } from './image-pull.ts';

/**
 * @param pods live ones, by name
 * @param before problems told last
 * @param imageOf the application's image in a pod, as far as it is known
 */
export function podProblems(
  pods: readonly Pod[],
  before: readonly StatusProblem[],
  imageOf: (pod: Pod) => string | undefined,
): Found[] {
  const first = new Map<string, Found>();
  for (const pod of pods) {
    for (const problem of problemsOf(pod, before, imageOf(pod))) {
      const key = `${pod.component} ${problem.type} ${problem.field}`;
      if (!first.has(key)) first.set(key, problem);
    }
  }
  return [...first.values()];
}

function problemsOf(pod: Pod, before: readonly StatusProblem[], image: string | undefined): Found[] {
  if (pod.unschedulable !== undefined) return [unschedulable(pod, pod.unschedulable)];
  return pod.containers.flatMap((container) => containerProblem(pod, container, before, image) ?? []);
}

function containerProblem(
  pod: Pod,
  container: ContainerState,
  before: readonly StatusProblem[],
  image: string | undefined,
): Found | undefined {
  const fields = fieldsOfContainer(pod.component, container);
  const known = before.some(({ type, field }) => type === 'ImagePull' && field === fields.image);
  if (isImagePull(container, known)) return imagePull(pod, container, image);
  if (container.waiting?.reason === 'CreateContainerConfigError') return configError(pod, container);
  if (isCrashing(container)) return isOutOfMemory(container) ? outOfMemory(pod, container) : crashing(pod, container);
  return undefined;
}

function unschedulable({ component }: Pod, message: string): Found {
  const claim = /persistentvolumeclaim|volume/i.test(message);
  const room = /insufficient|too many pods/i.test(message);
  return {
    type: 'Unschedulable',
    field: claim && !room ? 'spec.volumes' : room ? resourcesField(component) : templateField(component),
    message: `No node takes ${podsOf(component)}: ${message || 'the scheduler does not say why'}`,
    mend: room
      ? 'add nodes, or ask for less in resources.requests'
      : claim
        ? 'see that the claim exists, is bound, and can be mounted by all pods (ReadWriteMany)'
        : 'check nodeSelector, affinity and tolerations in the pod template against the nodes',
  };
}

/** An image that was replaced may be gone from its registry, and its static files with it. */
const EARLIER_IMAGE = '; when it is of an earlier version: spec.proxy.keepRevisions: 0 does without';

function imagePull({ component }: Pod, container: ContainerState, known: string | undefined): Found {
  const { what, image: field, isApp } = fieldsOfContainer(component, container);
  const cause = imagePullCause(container);
  const name = (isApp ? known : undefined) ?? imageNamed(container) ?? `of container ${container.name}`;
  const ours = component === 'proxy' && container.name === 'proxy';
  const isCopy = component === 'proxy' && container.init;
  return {
    type: 'ImagePull',
    field,
    message: `${what}: image ${name} cannot be pulled: ${cause}`,
    mend: ours
      ? 'the image of the proxy is a setting of the operator (--proxy-image): see that the nodes can pull it'
      : `${imagePullMend(`${container.waiting?.reason} ${cause}`)}${isCopy ? EARLIER_IMAGE : ''}`,
  };
}

/** The kubelet could not put the container together: a key that is not there, or a user that it may not run as. */
function configError({ component }: Pod, container: ContainerState): Found {
  const { what, image } = fieldsOfContainer(component, container);
  const message = container.waiting?.message ?? 'CreateContainerConfigError';
  if (/runAsNonRoot|non-root/i.test(message)) {
    return {
      type: 'PodsRefused',
      field: image,
      message: `${what} may not run as root: ${message}`,
      mend: `set a numeric USER in the image, or securityContext.runAsUser in ${templateField(component)}`,
    };
  }
  const key = /key (\S+) in (Secret|ConfigMap) (?:\S*\/)?(\S+)/.exec(message);
  return {
    type: 'ReferenceMissing',
    field: 'spec.env',
    message: `${what} cannot be started: ${message}`,
    mend: key
      ? `add the key ${key[1]} to ${key[2]} ${key[3]}`
      : 'make what is missing, or correct its name in the spec',
  };
}

function outOfMemory({ component }: Pod, container: ContainerState): Found {
  const { what, memory } = fieldsOfContainer(component, container);
  return {
    type: 'Crashing',
    field: memory,
    message: `${what} ${endOf(container)}.`,
    mend: component === 'worker' ? 'raise it, or lower spec.workers.processes' : 'raise it',
  };
}

function crashing({ component }: Pod, container: ContainerState): Found {
  const { what, crash } = fieldsOfContainer(component, container);
  const { text, mend } = lastWordsOf(container);
  return {
    type: 'Crashing',
    field: crash,
    message: `${what} ${endOf(container)}${text === '' ? ', and says nothing.' : `:\n${text}`}`,
    mend: mend ?? 'mend what the last lines say, then build and name a new image, or correct the spec',
  };
}
