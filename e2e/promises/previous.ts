// The version before this one, to upgrade from. None is published yet, so the same programs stand under its name, with a chart whose definition of WebApp lacks a field.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { IMAGES, type ImageRecipe } from '../../scripts/images/images.ts';
import type { Helm } from './helm.ts';

export const PREVIOUS_VERSION = '0.0.9';
/** Field of `spec` that came with this version. */
export const NEW_FIELD = 'suspend';

export const PREVIOUS: readonly ImageRecipe[] = [IMAGES.operator.name, IMAGES.proxy.name].map((name) => ({
  name: `${name.slice(0, name.indexOf(':'))}:${PREVIOUS_VERSION}`,
  dockerfile: 'e2e/promises/images/previous.Dockerfile',
  context: 'e2e/promises/images',
  buildArgs: { PROGRAM: name },
  from: [name],
}));

/** @returns path of the chart's archive */
export const packagePrevious = (helm: Helm): Promise<string> => helm.packageAs(PREVIOUS_VERSION, withoutNewField);

interface Crd {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: SpecHolder } }] };
}

interface SpecHolder {
  readonly properties: { readonly spec: { readonly properties: Record<string, unknown> } };
}

function withoutNewField(chart: string): void {
  const file = join(chart, 'files/crd.yaml');
  const crd = parse(readFileSync(file, 'utf8')) as Crd;
  delete crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties[NEW_FIELD];
  writeFileSync(file, stringify(crd));
}
