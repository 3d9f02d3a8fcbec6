// Which of the two ways a real cluster is had by here.
import { kindProvider } from './kind/provider.ts';
import { nativeProvider } from './native/provider.ts';
import type { ClusterState, Provider, ProviderName, RealCluster, RealClusterOptions } from './real-cluster.ts';

const PROVIDERS: Readonly<Record<ProviderName, Provider>> = { kind: kindProvider, native: nativeProvider };
export const PROVIDER_NAMES = Object.keys(PROVIDERS) as readonly ProviderName[];

/**
 * @param name default: kind where a Docker daemon answers, else native
 * @returns it may still say `whyNot`
 */
export function chooseProvider(name?: ProviderName): Provider {
  if (name !== undefined) return PROVIDERS[name];
  return kindProvider.whyNot() === undefined ? kindProvider : nativeProvider;
}

/** As `Provider.start` and `open`, in one. */
export async function startRealCluster(
  options: RealClusterOptions & { readonly provider?: ProviderName } = {},
): Promise<RealCluster> {
  const provider = chooseProvider(options.provider);
  return provider.open(await provider.start(options));
}

/** @throws Error when it does not run any more */
export async function openRealCluster(state: ClusterState): Promise<RealCluster> {
  return PROVIDERS[state.provider].open(state);
}
