// Every way in which one field of a WebApp can be wrong, made from the CRD's own schema: out of its bounds, of another type, not of its
// form. Pure.
import type { StructuralSchema } from '../../core/app/crd.ts';
import { EVERY_FIELD, type Json } from './every-field.ts';

type Path = readonly (string | number)[];

export interface Change {
  /** Such as `spec.env[0].name: longer than 253`. */
  readonly name: string;
  /** Where it is wrong, as both validations say it. */
  readonly field: string;
  readonly manifest: Json;
}

/** @param schema of `spec` */
export function wrongManifests(schema: StructuralSchema): Change[] {
  return fieldsOf(schema, ['spec']).flatMap(({ path, node }) => {
    const found = EVERY_FIELD.flatMap((manifest) => {
      const concrete = instanceOf(manifest, path);
      return concrete ? [{ manifest, concrete }] : [];
    })[0];
    if (!found) throw new Error(`no example has ${path.join('.')}: add it to every-field.ts`);
    return wrongValues(node, valueAt(found.manifest, found.concrete)).map(([what, value]) => ({
      name: `${fieldName(found.concrete)}: ${what}`,
      field: fieldName(found.concrete),
      manifest: replaced(found.manifest, found.concrete, value),
    }));
  });
}

/** `*` stands for any item of a list and any key of a map. */
function fieldsOf(node: StructuralSchema, path: Path): { path: Path; node: StructuralSchema }[] {
  return [
    ...(path.length > 1 ? [{ path, node }] : []),
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => fieldsOf(child, [...path, key])),
    ...[node.items, node.additionalProperties].flatMap((child) => (child ? fieldsOf(child, [...path, '*']) : [])),
  ];
}

function instanceOf(value: Json, path: Path, at: Path = []): Path | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return at;
  if (typeof value !== 'object' || value === null) return undefined;
  const keys = key !== '*' ? [key] : Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  for (const one of keys) {
    const child = (value as Record<string | number, Json>)[one];
    const found = child === undefined ? undefined : instanceOf(child, rest, [...at, one]);
    if (found) return found;
  }
  return undefined;
}

function wrongValues(node: StructuralSchema, example: Json): [string, Json][] {
  if (node['x-kubernetes-int-or-string'])
    return [
      ['a word', 'nonsense'],
      ['negative', -1],
      ['of another type', [1]],
    ];
  switch (node.type) {
    case 'integer':
      return [
        [`below ${node.minimum}`, (node.minimum ?? 0) - 1],
        [`above ${node.maximum}`, (node.maximum ?? 0) + 1],
        ['text', 'many'],
        ['broken', 1.5],
      ];
    case 'boolean':
      return [['text', 'yes']];
    case 'string':
      return wrongTexts(node);
    case 'array':
      return wrongLists(node, example as Json[]);
    default:
      return wrongMappings(node, example as Record<string, Json>);
  }
}

function wrongTexts(node: StructuralSchema): [string, Json][] {
  const isForm = (rule: { rule: string }): boolean => rule.rule.startsWith('self.matches');
  return [
    ['a number', 5],
    ...(node.enum ? [['not one of them', 'nonsense'] as [string, Json]] : []),
    ...(node.maxLength ? [[`longer than ${node.maxLength}`, '9'.repeat(node.maxLength + 1)] as [string, Json]] : []),
    ...(node.minLength ? [['empty', ''] as [string, Json]] : []),
    ...(node['x-kubernetes-validations']?.some(isForm) ? [['of no right form', '\u0001 ä'] as [string, Json]] : []),
  ];
}

function wrongLists(node: StructuralSchema, example: Json[]): [string, Json][] {
  const key = node['x-kubernetes-list-map-keys']?.[0];
  const item = (index: number): Json => numbered(example[0] ?? '', key, index);
  const count = (node.maxItems ?? 0) + 1;
  return [
    ['text', 'one'],
    [`more than ${node.maxItems}`, Array.from({ length: count }, (_, index) => item(index))],
    ...(node.minItems ? [['empty', []] as [string, Json]] : []),
  ];
}

/** Lists as maps and sets hold each once. */
function numbered(example: Json, key: string | undefined, index: number): Json {
  if (key !== undefined)
    return { ...(example as Record<string, Json>), [key]: `${(example as Record<string, Json>)[key]}${index}` };
  return typeof example === 'string' ? `a${index}${example}` : example;
}

function wrongMappings(node: StructuralSchema, example: Record<string, Json>): [string, Json][] {
  const value = Object.values(example)[0] ?? '';
  const many = Object.fromEntries(
    Array.from({ length: (node.maxProperties ?? 0) + 1 }, (_, index) => [`k${index}`, value]),
  );
  return [
    ['text', 'one'],
    ['a list', []],
    ...(node.maxProperties ? [[`more than ${node.maxProperties}`, many] as [string, Json]] : []),
    ...(node.maxProperties ? [['a key too long', { ['k'.repeat(400)]: value }] as [string, Json]] : []),
  ];
}

function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((inner, key) => (inner as Record<string | number, Json>)[key] ?? null, value);
}

export function replaced(value: Json, path: Path, wanted: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return wanted;
  const inner = replaced((value as Record<string | number, Json>)[key] ?? null, rest, wanted);
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? inner : item));
  return { ...(value as Record<string, Json>), [key]: inner };
}

const fieldName = (path: Path): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${key}`)).join('');
