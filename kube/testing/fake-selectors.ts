// Label and field selectors of lists and watches, as much of them as controllers use.
import type { KubeObject } from '../object.ts';
import type { Target } from './fake-paths.ts';

export type Matches = (object: KubeObject) => boolean;

/** @returns whether an object is in the collection at `target` and selected by the query. @throws RangeError on a selector that the fake does not know */
export function makeMatches(target: Target, query: URLSearchParams): Matches {
  const labels = (query.get('labelSelector') ?? '').split(/,(?![^(]*\))/).filter((term) => term !== '');
  const fields = (query.get('fieldSelector') ?? '').split(',').filter((term) => term !== '');
  const tests = [...labels.map(labelTest), ...fields.map(fieldTest)];
  return (object) =>
    (target.namespace === undefined || object.metadata.namespace === target.namespace) &&
    tests.every((test) => test(object));
}

function labelTest(term: string): Matches {
  const label = (object: KubeObject, name: string): string | undefined => object.metadata.labels?.[name];
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term.trim());
  if (set !== null) {
    const [, name = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (object) => values.includes(label(object, name) ?? '\0') === (operator === 'in');
  }
  const equality = /^([^=!]+)(==|=|!=)(.*)$/.exec(term.trim());
  if (equality !== null) {
    const [, name = '', operator, value] = equality;
    return (object) => (label(object, name) === value) === (operator !== '!=');
  }
  if (term.startsWith('!')) return (object) => label(object, term.slice(1)) === undefined;
  return (object) => label(object, term.trim()) !== undefined;
}

function fieldTest(term: string): Matches {
  const [, field, operator, value] = /^(metadata\.name|metadata\.namespace)(==|=|!=)(.*)$/.exec(term.trim()) ?? [];
  if (field === undefined) throw new RangeError(`field selector ${term} is not known to the fake`);
  const name = field === 'metadata.name' ? 'name' : 'namespace';
  return (object) => (object.metadata[name] === value) === (operator !== '!=');
}
