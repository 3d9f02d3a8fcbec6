import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { fillChartReadme, makeChartFiles } from './chart.ts';
import { chartValuesSchema, makeChartValues } from './chart-values.ts';

const files = makeChartFiles('1.2.3');
const README = 'before\n<!-- generated: values -->\nSTALE\n<!-- /generated -->\nafter\n';

test('the values that are written are the defaults, comments or not', () => {
  const written = parse(files['values.yaml'] ?? '');
  expect(written).toEqual(makeChartValues());
  expect(chartValuesSchema.parse(written)).toEqual(makeChartValues());
  for (const line of files['values.yaml']?.split('\n') ?? []) expect(line.length).toBeLessThanOrEqual(120);
});

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
}

/** Paths of objects in which a name that nobody knows would pass. */
function looseIn(schema: Schema, path: string): string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => looseIn(child, `${path}.${name}`));
  const items = schema.items ? looseIn(schema.items, `${path}[]`) : [];
  const isLoose = schema.type === 'object' && Object.keys(schema.additionalProperties ?? {}).length === 0;
  return [...(isLoose && schema.additionalProperties !== false ? [path] : []), ...below, ...items];
}

test('an unknown value is refused, save where it is another chart’s or as Kubernetes writes it', () => {
  expect(looseIn(JSON.parse(files['values.schema.json'] ?? '') as Schema, '')).toEqual([
    '.global',
    '.tolerations[]',
    '.affinity',
  ]);
});

test('what the templates take from files/ holds no template of its own', () => {
  const constants = Object.entries(files).filter(([path]) => path.startsWith('files/'));
  expect(constants.length).toBeGreaterThan(10);
  for (const [path, text] of constants) expect([path, text.includes('{{')]).toEqual([path, false]);
});

test('the README’s table has every value with its default, and what a person wrote stays', () => {
  const filled = fillChartReadme(README);
  expect(filled).toMatch(/^before\n[\s\S]*\nafter\n$/);
  expect(filled).not.toContain('STALE');
  expect(filled).toContain('| `drainDelay` | `"5s"` | How long pods');
  expect(filled).toContain('| `resources.limits` | `{"memory":"512Mi"}` |');
  expect(() => fillChartReadme('nothing')).toThrow('values');
});
