// Pods of the tests' own that run Node: a worker image has it, and is in every node's store. Pure.
import { IMAGES } from '../../scripts/images/images.ts';

/** @param program what `node` is given. @param more of the container, over its own. @returns the spec of a pod that is let into `restricted` namespaces */
export function nodePodSpec(name: string, program: readonly string[], more: object = {}) {
  return {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name,
        image: IMAGES.workerNode.name,
        command: ['node', ...program],
        resources: { requests: { cpu: '50m', memory: '64Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        ...more,
      },
    ],
  };
}
