// client-go's metrics of its reflectors, under their names. The label is the resource, never a namespace or an object: it is bounded.
import { Counter, type Registry } from 'prom-client';
import type { Resource } from './object.ts';

export interface ReflectorMeter {
  listed(): void;
  watched(): void;
  /** A watch that the server ended at once, without an event. */
  cutShort(): void;
}

/** Several reflectors may share one registry, and one name. */
export function reflectorMeter(registry: Registry | undefined, { group, plural }: Resource): ReflectorMeter {
  if (registry === undefined) return { listed() {}, watched() {}, cutShort() {} };
  const name = group === '' ? plural : `${plural}.${group}`;
  const { lists, watches, shortWatches } = registered(registry);
  return {
    listed: () => lists.inc({ name }),
    watched: () => watches.inc({ name }),
    cutShort: () => shortWatches.inc({ name }),
  };
}

type Instruments = Readonly<Record<'lists' | 'watches' | 'shortWatches', Counter<'name'>>>;

const known = new WeakMap<Registry, Instruments>();

function registered(registry: Registry): Instruments {
  const there = known.get(registry);
  if (there !== undefined) return there;
  const counter = (name: string, help: string): Counter<'name'> =>
    new Counter({ name, help, labelNames: ['name'], registers: [registry] });
  const made = {
    lists: counter('reflector_lists_total', 'Lists of a whole collection that were begun.'),
    watches: counter('reflector_watches_total', 'Watches that were begun.'),
    shortWatches: counter('reflector_short_watches_total', 'Watches that ended without bringing anything.'),
  };
  known.set(registry, made);
  return made;
}
