// When CustomResourceDefinitions that were just applied can be used.
import { until } from './until.ts';

type KubectlOk = (args: readonly string[]) => Promise<string>;

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * Not `kubectl wait`: that gives up on a definition whose status nobody has written yet.
 * @param definitions as `kubectl get` takes them: `crd/webapps.webapp-operator.io`, or `-f` and files
 */
export async function untilEstablished(kubectlOk: KubectlOk, ...definitions: readonly string[]): Promise<void> {
  await until(`established ${definitions.join(' ')}`, async () => {
    const got = JSON.parse(await kubectlOk(['get', ...definitions, '-o', 'json'])) as
      | Definition
      | { items: Definition[] };
    return ('items' in got ? got.items : [got]).every(isEstablished);
  });
}

const isEstablished = ({ status }: Definition): boolean =>
  status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') ?? false;
