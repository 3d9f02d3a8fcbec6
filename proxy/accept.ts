// Which form of an answer a client reads best, by its Accept field (RFC 9110 §12.5.1). Pure.
import { qualityOf } from './quality.ts';

/** More is not looked at: nobody who wants a page writes more. */
const LONGEST = 1024;

/**
 * @param accept of the request, undefined when it has none
 * @param forms media types in lower case, the one that we like best first
 * @param otherwise when none of them is named: a range of types does not choose
 * @returns the one that the client names with the highest weight
 */
export function preferredForm<Form extends string>(
  accept: string | undefined,
  forms: readonly Form[],
  otherwise: Form,
): Form {
  if (accept === undefined || accept.length > LONGEST) return otherwise;
  const qualities = new Map<string, number>();
  for (const element of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = element.split(';');
    qualities.set(type.trim(), qualityOf(parameters));
  }
  const quality = (form: Form): number => qualities.get(form) ?? 0;
  const [best = otherwise] = forms.toSorted((a, b) => quality(b) - quality(a));
  return quality(best) > 0 ? best : otherwise;
}
