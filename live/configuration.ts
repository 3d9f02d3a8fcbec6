// The effective configuration as a person reads it: the spec with every default filled in, as YAML. What may be secret is not in it: the page is open to whoever
// reaches the port. Pure.
import { stringify } from 'yaml';

const HIDDEN = '(not shown)';
const MAX_CHARACTERS = 64 * 1024;

/** Asked for at every look, made once. */
const made = new WeakMap<object, string>();

/** @param spec of a WebApp; `value` of every entry of an `env`, wherever that stands, is hidden */
export function configurationText(spec: object): string {
  const text = made.get(spec) ?? makeText(spec);
  made.set(spec, text);
  return text;
}

function makeText(spec: object): string {
  const text = stringify(withoutValues(spec, false), { lineWidth: 0, aliasDuplicateObjects: false });
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}\n# … cut\n`;
}

function withoutValues(part: unknown, isEnvironment: boolean): unknown {
  if (Array.isArray(part)) return part.map((each) => withoutValues(each, isEnvironment));
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      isEnvironment && key === 'value' ? HIDDEN : withoutValues(value, key === 'env'),
    ]),
  );
}
