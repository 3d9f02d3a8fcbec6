// Which optional APIs the server has. Asked anew now and then: a CRD may be installed later.
import { isNotFound } from './errors.ts';
import { apiVersionOf, type Resource } from './object.ts';
import type { Transport } from './transport.ts';

/** @returns those of `wanted` that the server serves. A group that is not there is an answer, not an error. @throws KubeError when the server cannot be asked */
export async function discover(transport: Transport, wanted: readonly Resource[]): Promise<ReadonlySet<Resource>> {
  const versions = Map.groupBy(wanted, apiVersionOf);
  const found = await Promise.all(
    [...versions].map(async ([apiVersion, resources]) => {
      const served = await servedIn(transport, apiVersion);
      return resources.filter(({ plural }) => served.has(plural));
    }),
  );
  return new Set(found.flat());
}

/** @returns the plurals that a group version has; none when it is not there */
async function servedIn(transport: Transport, apiVersion: string): Promise<ReadonlySet<unknown>> {
  const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  try {
    const { resources } = await transport.request<{ resources?: unknown }>({ method: 'GET', path });
    return new Set((Array.isArray(resources) ? resources : []).map((each: { name?: unknown } | null) => each?.name));
  } catch (error) {
    if (isNotFound(error)) return new Set();
    throw error;
  }
}
