// Which optional APIs the server has. Asked anew now and then: a CRD may be installed later.
import { isNotFound } from './errors.ts';
import { apiVersionOf, type Resource } from './object.ts';
import type { Transport } from './transport.ts';

/** @returns those of `wanted` that the server serves. A group that is not there is an answer, not an error. @throws KubeError when the server cannot be asked */
export async function discover(transport: Transport, wanted: readonly Resource[]): Promise<ReadonlySet<Resource>> {
  const versions = [...new Set(wanted.map(apiVersionOf))];
  const served = new Map(
    await Promise.all(versions.map(async (version) => [version, await servedIn(transport, version)] as const)),
  );
  return new Set(wanted.filter((resource) => served.get(apiVersionOf(resource))?.has(resource.plural)));
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
