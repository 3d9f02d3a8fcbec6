// The last step of a pod template: what the person laid over it, and then the labels again that selectors live by.
import { mergePodTemplate } from '../../../kube/strategic-merge.ts';
import { canonical } from './canonical.ts';
import type { PodTemplate } from './input.ts';

export type Mapping = Readonly<Record<string, unknown>>;

/**
 * @param patch from a person: any JSON
 * @param labels win over the patch
 * @returns keys sorted, as the API server gives them back: a template that was kept in a revision is the same text
 */
export function overlay(template: PodTemplate, patch: object | undefined, labels: Mapping): PodTemplate {
  if (patch === undefined) return canonical(template);
  const merged = mergePodTemplate(template, patch) as Mapping;
  const metadata = mappingOf(merged['metadata']);
  return canonical({ ...merged, metadata: { ...metadata, labels: { ...mappingOf(metadata['labels']), ...labels } } });
}

/** Of what a person wrote: anything that is no map has nothing in it. */
export function mappingOf(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}
