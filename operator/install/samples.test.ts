import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseWebApps } from '../../core/app/manifest-file.ts';
import { webAppSchema } from '../../core/app/schema.ts';
import { unwrap } from '../../core/app/validate.ts';
import { SAMPLES, sampleYaml } from './samples.ts';

test.each(Object.entries(SAMPLES))('%s is whole', (_, sample) => {
  const { webApps, problems, ignored } = parseWebApps(sampleYaml(sample));
  expect([problems, ignored]).toEqual([[], []]);
  expect(webApps.map(({ webApp }) => webApp.metadata.name)).toEqual(
    sample.webApps.map(({ metadata }) => metadata.name),
  );
});

/** Such as `spec.env[].name`. */
function fieldsOf(schema: z.core.$ZodType, path: string): string[] {
  const field = unwrap(schema);
  if (field instanceof z.ZodArray) return fieldsOf(field.element as z.core.$ZodType, `${path}[]`);
  if (!(field instanceof z.ZodObject)) return [path];
  const children = Object.entries(field.shape);
  if (children.length === 0) return [path];
  return children.flatMap(([name, child]) => fieldsOf(child as z.core.$ZodType, `${path}.${name}`));
}

function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item) => pathsOf(item, `${path}[]`))];
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, child]) => pathsOf(child, `${path}.${name}`))];
}

test('every field of the schema stands in every-field.yaml', () => {
  const present = new Set(SAMPLES['every-field.yaml']?.webApps.flatMap(({ spec }) => pathsOf(spec, 'spec')));
  const missing = fieldsOf(webAppSchema.shape.spec, 'spec').filter(
    (field) => !present.has(field) && !present.has(field.replace(/\[\]$/, '')),
  );
  expect(missing).toEqual([]);
});

test('every-field.yaml explains each field once', () => {
  const lines = sampleYaml(SAMPLES['every-field.yaml'] ?? { about: '', webApps: [] }).split('\n');
  expect(lines).toContain('    # Longest time a process that is asked to leave may take to finish its requests.');
  expect(lines.filter((line) => line.includes('# Environment variables of the application.'))).toHaveLength(1);
});
