// Single objects watched by name (`fieldSelector=metadata.name=…`), for Secrets and ConfigMaps that others own: never a list of all. Counted by
// interest; what nobody wants any more is let go. Keeps a digest, and what the caller takes out of it, never the content.
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { failureFields, makeFailureLog } from './failure-log.ts';
import { NamedObject, type NamedPlace } from './named-object.ts';
import { pathOf, type Resource } from './object.ts';
import type { Transport } from './transport.ts';

/** hash: over data, binaryData and type. extract: what `NamedObjectsOptions.extract` made of it. missing: the server says there is none. unknown: not heard yet. */
export type NamedState =
  | { readonly state: 'present'; readonly hash: string; readonly keys: readonly string[]; readonly extract?: string }
  | { readonly state: 'missing' }
  | { readonly state: 'forbidden'; readonly message: string }
  | { readonly state: 'unknown' };

export interface NamedReference {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  /** A change of it may be heard of late: it gets one of the first half of the watches, or is read every quarter of an hour. */
  readonly patient?: boolean;
}

export interface NamedObjects {
  /** Replaces what `owner` is interested in; begins and ends watches accordingly. */
  want(owner: string, references: readonly NamedReference[]): void;
  state(resource: Resource, namespace: string, name: string): NamedState;
  /** Owners to look at again, because a state they want changed. @returns stop */
  onChange(listener: (owner: string) => void): () => void;
  /** null: all watches are in step. Else what is wrong. */
  health(): string | null;
  close(): void;
}

export interface NamedObjectsOptions {
  readonly transport: Transport;
  readonly log: Log;
  readonly clock: Clock;
  /** Watches at a time; what is beyond is read once a minute instead. Default 250. */
  readonly maxWatches?: number;
  /** Pure: what else is to be known of an object as the server sent it. Short: it is kept. undefined: nothing. */
  readonly extract?: (object: Readonly<Record<string, unknown>>) => string | undefined;
  /** In [0, 1), for jitter. Default Math.random. */
  readonly random?: () => number;
}

/** Each is a connection of its own: 87 KiB with TLS (measured, 1,000 of them). */
const MAX_WATCHES = 250;
/** When the API server is away, all watches fail: some lines say so. */
const FAILURES = { burst: 5, everyMs: 10_000 } as const;
/** DNS subdomain (RFC 1123), as for the names of Secrets and ConfigMaps, and of namespaces. */
const NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

export function makeNamedObjects(options: NamedObjectsOptions): NamedObjects {
  return new Interests(options);
}

interface Followed {
  readonly object: NamedObject;
  readonly owners: Set<string>;
}

class Interests implements NamedObjects {
  readonly #options: NamedObjectsOptions;
  readonly #failures;
  readonly #quiet: Log;
  readonly #listeners = new Set<(owner: string) => void>();
  /** Owner → keys of what it wants. */
  readonly #wants = new Map<string, ReadonlySet<string>>();
  readonly #followed = new Map<string, Followed>();
  #watches = 0;
  #isClosed = false;

  constructor(options: NamedObjectsOptions) {
    const { log, clock } = options;
    this.#options = options;
    this.#failures = makeFailureLog({ log, clock, ...FAILURES });
    this.#quiet = quieten(log);
  }

  want(owner: string, references: readonly NamedReference[]): void {
    if (this.#isClosed) return;
    const wanted = new Map(references.filter(isPossible).map((place) => [keyOfPlace(place), place]));
    const before = this.#wants.get(owner);
    if (wanted.size > 0) this.#wants.set(owner, new Set(wanted.keys()));
    else this.#wants.delete(owner);
    for (const [key, reference] of wanted) this.#follow(key, reference).owners.add(owner);
    for (const key of before ?? []) if (!wanted.has(key)) this.#letGo(key, owner);
  }

  state(resource: Resource, namespace: string, name: string): NamedState {
    const place = { resource, namespace, name };
    if (!isPossible(place)) return { state: 'missing' };
    return this.#followed.get(keyOfPlace(place))?.object.state ?? { state: 'unknown' };
  }

  onChange(listener: (owner: string) => void): () => void {
    const own = (owner: string): void => listener(owner);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  health(): string | null {
    const ill = [...this.#followed.values()].flatMap(({ object }) => object.health() ?? []);
    const [first] = ill;
    return first === undefined ? null : `${ill.length} of ${this.#followed.size} watched by name: ${first}`;
  }

  close(): void {
    this.#isClosed = true;
    for (const { object } of this.#followed.values()) object.close();
    this.#followed.clear();
    this.#wants.clear();
  }

  #follow(key: string, { patient = false, ...place }: NamedReference): Followed {
    const there = this.#followed.get(key);
    if (there !== undefined) {
      if (!patient) there.object.hurry();
      return there;
    }
    const { transport, clock, random = Math.random, extract } = this.#options;
    const owners = new Set<string>();
    const object = new NamedObject({
      ...{ place, patient, transport, clock, random, log: this.#quiet },
      ...(extract && { extract }),
      reserve: (share) => this.#reserve(share),
      release: () => void this.#watches--,
      onChange: () => this.#tell(owners),
      onTrouble: (error) => this.#failures.say('an object is not in step', error, { path: keyOfPlace(place) }),
    });
    const followed = { object, owners };
    this.#followed.set(key, followed);
    object.start();
    return followed;
  }

  #letGo(key: string, owner: string): void {
    const followed = this.#followed.get(key);
    followed?.owners.delete(owner);
    if (followed === undefined || followed.owners.size > 0) return;
    followed.object.close();
    this.#followed.delete(key);
  }

  #reserve(share: number): boolean {
    const { maxWatches = MAX_WATCHES } = this.#options;
    if (this.#watches >= maxWatches * share) return false;
    this.#watches++;
    return true;
  }

  #tell(owners: ReadonlySet<string>): void {
    // A copy: whoever is told may want something else at once.
    for (const owner of [...owners]) for (const listener of this.#listeners) this.#call(listener, owner);
  }

  #call(listener: (owner: string) => void, owner: string): void {
    try {
      listener(owner);
    } catch (error) {
      this.#options.log.error('a change could not be dealt with', { owner, ...failureFields(error) });
    }
  }
}

/** What cannot be a name is not there, and must not become part of a selector. */
function isPossible({ namespace, name }: NamedPlace): boolean {
  return NAME.test(namespace) && NAME.test(name);
}

const keyOfPlace = ({ resource, namespace, name }: NamedPlace): string => pathOf(resource, { namespace, name });

/** Of a thousand reflectors only the faults of our own are told one by one. */
function quieten(log: Log): Log {
  return {
    debug: (message, fields) => log.debug(message, fields),
    info: (message, fields) => log.debug(message, fields),
    warn: (message, fields) => log.debug(message, fields),
    error: (message, fields) => log.error(message, fields),
    with: (fields) => quieten(log.with(fields)),
  };
}
