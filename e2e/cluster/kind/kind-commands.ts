// The arguments of `kind`. Pure.

/** kind itself waits for the first node; the caller for the rest. */
const WAIT = '180s';

export interface Creation {
  readonly name: string;
  /** Path of what makeKindConfig made. */
  readonly config: string;
  /** Path; the person's own kubeconfig is left alone. */
  readonly kubeconfig: string;
}

export function createCluster({ name, config, kubeconfig }: Creation): string[] {
  return ['create', 'cluster', '--name', name, '--config', config, '--kubeconfig', kubeconfig, '--wait', WAIT];
}

export function deleteCluster(name: string, kubeconfig: string): string[] {
  return ['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig];
}

/** Into every node. @param archive path */
export function loadArchive(name: string, archive: string): string[] {
  return ['load', 'image-archive', archive, '--name', name];
}
