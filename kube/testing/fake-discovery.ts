// Which APIs the fake server says it has, and the documents that say so.
import { apiVersionOf, type Resource } from '../object.ts';
import { collectionOf, type GroupVersion, parsePath, type Target } from './fake-paths.ts';
import { Refusal } from './fake-status.ts';

export class FakeDiscovery {
  readonly #known = new Map<string, Resource>();
  readonly #absent = new Set<string>();

  serve(resource: Resource): void {
    this.#absent.delete(collectionOf(resource));
    this.learn(resource);
  }

  unserve(resource: Resource): void {
    this.#known.delete(collectionOf(resource));
    this.#absent.add(collectionOf(resource));
  }

  isAbsent({ collection }: Target): boolean {
    return this.#absent.has(collection);
  }

  kindOf({ collection, plural }: Target): string {
    return this.#known.get(collection)?.kind ?? plural;
  }

  learn(resource: Resource): void {
    const collection = collectionOf(resource);
    if (!this.#known.has(collection)) this.#known.set(collection, resource);
  }

  /** A kind becomes known by the first object that is sent. */
  learnFrom({ group, version, plural, namespace }: Target, body: unknown): void {
    if (typeof body !== 'object' || body === null || !('kind' in body) || body.kind === 'DeleteOptions') return;
    this.learn({ group, version, plural, kind: String(body.kind), namespaced: namespace !== undefined });
  }

  /** @returns undefined: the path is no document of discovery */
  answer(path: string): object | undefined {
    if (path === '/version') return { major: '1', minor: '36', gitVersion: 'v1.36.0-fake' };
    if (path === '/readyz' || path === '/livez') return {};
    if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
    if (path === '/apis') return this.#groups();
    const parsed = parsePath(path);
    return parsed === undefined || 'collection' in parsed ? undefined : this.#resourcesIn(parsed);
  }

  #groups(): object {
    const versions = new Map<string, Set<string>>();
    for (const { group, version } of this.#known.values())
      if (group !== '') versions.set(group, (versions.get(group) ?? new Set()).add(version));
    const groups = [...versions].map(([name, of]) => {
      const listed = [...of].map((version) => ({ groupVersion: `${name}/${version}`, version }));
      return { name, versions: listed, preferredVersion: listed[0] };
    });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }

  #resourcesIn(place: GroupVersion): object {
    const known = [...this.#known.values()].filter((of) => of.group === place.group && of.version === place.version);
    if (known.length === 0 && place.group !== '')
      throw new Refusal(404, 'the server could not find the requested resource');
    const resources = known.map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced, verbs: ['get'] }));
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(place), resources };
  }
}
