// A restart that was asked for is done once: whoever takes the annotation away again (a tool that applies a manifest whole) replaces no pod.

import { RESTARTED_AT_ANNOTATION } from '../../../core/app/schema.ts';
import type { RenderInput } from '../render/render.ts';
import { fieldsOf, textOf } from './json-fields.ts';
import type { Versions } from './versions.ts';

/** @returns `input`, with the annotation that its newest version was made with when the WebApp has none. @param versions of the worker, the newest first */
export function keepRestart(input: RenderInput, versions: Versions): RenderInput {
  const { webApp } = input;
  const { annotations = {} } = webApp.metadata;
  const [newest] = versions;
  if (newest === undefined || (annotations[RESTARTED_AT_ANNOTATION] ?? '') !== '') return input;
  const made = textOf(fieldsOf(fieldsOf(newest.revision.template['metadata'])['annotations'])[RESTARTED_AT_ANNOTATION]);
  if (made === undefined) return input;
  const metadata = { ...webApp.metadata, annotations: { ...annotations, [RESTARTED_AT_ANNOTATION]: made } };
  return { ...input, webApp: { ...webApp, metadata } };
}
