// docs/reference.md, from the same schema as the CRD: every field with its type, default, bounds and meaning.
import { CONDITION_TYPES, REASONS } from './conditions.ts';
import { makeSpecSchema, type StructuralSchema } from './crd.ts';
import { API_VERSION, RESTARTED_AT_ANNOTATION, SOURCE_ANNOTATION } from './schema.ts';

/** @returns the reference page, Markdown. */
export function makeReference(): string {
  const rows = fieldRows(makeSpecSchema(), 'spec', []);
  return `<!-- Written by \`npm run generate\` from core/app/schema.ts. -->

# WebApp, ${API_VERSION}

Durations are numbers with a unit: \`500ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`7d\`, \`1y\`. Sizes are as in Kubernetes: \`512Ki\`, \`10Mi\`, \`2Gi\`.
A field marked * must be there. \`metadata.name\` is at most 50 lower-case letters, digits and \`-\`, beginning with a letter.

| field | type | default | meaning |
|---|---|---|---|
${rows.join('\n')}

Annotations: \`${SOURCE_ANNOTATION}\` is the folder of the application's source, relative to the manifest, for \`webapp up\`
(default: the manifest's own folder). A new value of \`${RESTARTED_AT_ANNOTATION}\`, such as the time, replaces every pod; taking it away replaces none.

## Conditions

| condition | reason | status | meaning |
|---|---|---|---|
${conditionRows().join('\n')}

\`status.problems\` lists what is wrong, each with the field, a \`type\` (a reason of Degraded), a message and what to do.
`;
}

function conditionRows(): string[] {
  return CONDITION_TYPES.flatMap((type) =>
    Object.entries(REASONS[type]).map(
      ([reason, { status, meaning }]) => `| ${type} | \`${reason}\` | ${status} | ${cell(meaning)} |`,
    ),
  );
}

function fieldRows(schema: StructuralSchema, path: string, required: readonly string[]): string[] {
  const star = required.includes(path.split('.').at(-1) ?? '') ? '*' : '';
  const rules = (schema['x-kubernetes-validations'] ?? []).map((rule) => ` ${sentence(rule.message)}`).join('');
  const own = `| \`${path}\`${star} | ${typeText(schema)} | ${defaultText(schema)} | ${cell(`${schema.description ?? ''}${rules}`)} |`;
  const children = schema.type === 'array' ? schema.items : schema;
  const base = schema.type === 'array' ? `${path}[]` : path;
  const below = Object.entries(children?.properties ?? {}).flatMap(([name, child]) =>
    fieldRows(child, `${base}.${name}`, children?.required ?? []),
  );
  return path === 'spec' ? below : [own, ...below];
}

function typeText(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'number or text';
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const bounds =
    schema.type === 'integer'
      ? ` ${schema.minimum}–${schema.maximum}`
      : schema.type === 'array'
        ? `, at most ${schema.maxItems}`
        : '';
  return `${{ object: 'mapping', array: 'list', integer: 'number' }[schema.type as string] ?? schema.type}${bounds}`;
}

function defaultText(schema: StructuralSchema): string {
  if (schema.default === undefined || schema.type === 'object') return '';
  return `\`${typeof schema.default === 'string' ? schema.default || '""' : JSON.stringify(schema.default)}\``;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function cell(text: string): string {
  return text.trim().replaceAll('|', '\\|').replaceAll('\n', ' ');
}
