// When all pods were to be replaced: an annotation of the WebApp that becomes one of its pods, as `kubectl rollout restart` does it.
import { RESTARTED_AT_ANNOTATION } from '../../../core/app/schema.ts';

/** In characters. What is longer tells no more: an RFC 3339 time has 35 at most. */
const MAX_VALUE = 64;

type Annotations = Readonly<Record<string, string>>;

/** @returns the annotation, cut; undefined: none, or an empty one */
export function restartedAt(annotations: Annotations = {}): string | undefined {
  const value = annotations[RESTARTED_AT_ANNOTATION] ?? '';
  // Twice as many UTF-16 units hold all those characters.
  return value === '' ? undefined : [...value.slice(0, 2 * MAX_VALUE)].slice(0, MAX_VALUE).join('').toWellFormed();
}

/** For a pod template. */
export function restartAnnotation(annotations: Annotations = {}): Annotations {
  const value = restartedAt(annotations);
  return value === undefined ? {} : { [RESTARTED_AT_ANNOTATION]: value };
}
