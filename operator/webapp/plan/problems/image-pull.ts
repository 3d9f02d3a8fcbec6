// Why an image cannot be had, from what a kubelet says of a waiting container.
import type { ContainerState } from '../../observed.ts';

/** States in which the kubelet has given up for a while, or for good. A first ErrImagePull may be a hiccup of the registry. */
const FAILED = new Set(['ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError']);
/** What the kubelet says during each further try. */
const TRYING = 'ErrImagePull';

/** @param known whether this was told already: a further try does not take it back */
export function isImagePull({ waiting }: ContainerState, known: boolean): boolean {
  return waiting !== undefined && (FAILED.has(waiting.reason) || (known && waiting.reason === TRYING));
}

/** @returns the cause in the words of the container runtime, the same in every state that the kubelet goes through */
export function imagePullCause({ waiting }: ContainerState): string {
  const message = (waiting?.message ?? '').trim();
  const cause = message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull)?:?\s*/, '');
  return cause === '' ? (message === '' ? (waiting?.reason ?? 'the image cannot be pulled') : message) : cause;
}

const MENDS: readonly (readonly [RegExp, string])[] = [
  [
    /InvalidImageName|invalid reference format|couldn't parse image/i,
    'write an image such as registry.example.com/shop:1.4.2',
  ],
  [
    /ErrImageNeverPull|not present with pull policy of Never/i,
    'load the image onto the nodes, or let the pull policy be IfNotPresent',
  ],
  [
    /unauthorized|authentication required|forbidden|denied|no basic auth/i,
    'name a Secret of type kubernetes.io/dockerconfigjson in spec.imagePullSecrets, and check the name of the image',
  ],
  [/not found|manifest unknown|does not exist|404/i, 'push the image, or correct its name and tag'],
  [/toomanyrequests|too many requests|429/i, 'wait, log in to the registry (spec.imagePullSecrets), or use a mirror'],
  [
    /no such host|timeout|deadline exceeded|connection refused|unreachable|reset by peer/i,
    'see that the nodes reach the registry',
  ],
  [/no match for platform|exec format/i, 'build the image for the architecture of the nodes'],
];

export function imagePullMend(cause: string): string {
  return (
    MENDS.find(([pattern]) => pattern.test(cause))?.[1] ?? 'check the name of the image, and that the nodes can pull it'
  );
}

/** @returns the image that the kubelet names */
export function imageNamed({ waiting }: ContainerState): string | undefined {
  return /image "([^"]{1,512})"/.exec(waiting?.message ?? '')?.[1];
}
