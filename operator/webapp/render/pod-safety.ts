// What every pod has, whoever's image it runs: the pod security standard `restricted`, and more than it asks (a read-only root).

/** Any number that is not root's and no user of common images. Volumes are given to its group. */
const USER = 10001;

/** For spec.securityContext of a pod. */
export const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  fsGroup: USER,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

/** For containers that run to serve or to prepare. */
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
} as const;

/** The last lines of a container that failed are then in the pod's status, and from there in the WebApp's. */
export const LAST_LINES = { terminationMessagePolicy: 'FallbackToLogsOnError' } as const;
