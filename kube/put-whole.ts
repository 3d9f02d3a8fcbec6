// The way out when server-side apply cannot mend what was edited by hand: in a list that the API keeps by key, apply adds our entries beside another's
// and takes none away, and the two together may be refused (a port of ours renamed by number leaves two of one name).
import type { Client } from './client.ts';
import { type KubeObject, pathOf, type Resource } from './object.ts';

interface FieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
}

/**
 * Writes `object`'s fields by a JSON merge patch, which puts lists whole, and applies it then. What the patch came to own is given back: a manager that owns a
 * field by patch and by apply cannot remove it by apply (kubernetes #108081).
 * @returns the object as the server has it now. @throws KubeError
 */
export async function putWhole(client: Client, resource: Resource, object: KubeObject): Promise<KubeObject> {
  const { apiVersion: _, kind: __, metadata, ...fields } = object;
  const { namespace, name } = metadata;
  await client.patch(resource, { namespace, name }, fields);
  await giveBack(client, resource, { namespace, name });
  return client.apply(resource, object);
}

async function giveBack(
  client: Client,
  resource: Resource,
  place: { namespace: string | undefined; name: string },
): Promise<void> {
  const path = pathOf(resource, place);
  const live = await client.transport.request<{
    metadata: { resourceVersion: string; managedFields?: readonly FieldsEntry[] };
  }>({ method: 'GET', path });
  const { resourceVersion, managedFields = [] } = live.metadata;
  const others = managedFields.filter(
    ({ manager, operation }) => !(manager === client.fieldManager && operation === 'Update'),
  );
  if (others.length === managedFields.length) return;
  await client.patch(resource, place, { metadata: { resourceVersion, managedFields: others } });
}
