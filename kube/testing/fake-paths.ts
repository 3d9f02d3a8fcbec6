// What a request to the fake API server is about, read from its path alone: any kind of object is served without being announced.

export interface Target {
  /** `apps/v1/deployments`; the core group: `/v1/pods`. Objects of one collection share resource versions and watches. */
  readonly collection: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** A path that names a group version and no more: discovery of what is in it. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** @returns undefined: no path of the API */
export function parsePath(path: string): Target | GroupVersion | undefined {
  const [root, ...rest] = path.split('/').slice(1).map(decodeURIComponent);
  if (root === 'api') return parseInGroup('', rest);
  if (root === 'apis' && rest[0] !== undefined) return parseInGroup(rest[0], rest.slice(1));
  return undefined;
}

function parseInGroup(group: string, [version, ...parts]: string[]): Target | GroupVersion | undefined {
  if (version === undefined || version === '') return undefined;
  if (parts.length === 0) return { group, version };
  const [first, second, third] = parts;
  const inNamespace = first === 'namespaces' && third !== undefined && !NAMESPACE_SUBRESOURCES.has(third);
  const [plural, name, subresource] = inNamespace ? parts.slice(2) : parts;
  if (plural === undefined || parts.some((part) => part === '')) return undefined;
  return {
    collection: collectionOf({ group, version, plural }),
    group,
    version,
    plural,
    namespace: inNamespace ? second : undefined,
    name,
    subresource,
  };
}

export function collectionOf(of: { group: string; version: string; plural: string }): string {
  return `${of.group}/${of.version}/${of.plural}`;
}
