// What is wrong with the certificate of the hosts. Its words hold dates and no counts of days: what moves by itself would be written each day.
import type { StatusProblem } from '../../../../core/status/webapp.ts';
import { names } from '../../names.ts';
import type { ServedCertificate } from '../../observed.ts';
import type { Found } from './degraded.ts';

/**
 * @param before problems told last: what was not heard of again is not over
 * @param wall milliseconds since the epoch
 */
export function certificateProblems(
  certificate: ServedCertificate | undefined,
  before: readonly StatusProblem[],
  wall: number,
): Found[] {
  if (certificate === undefined) return [];
  const { field, state } = certificate;
  const type = 'Certificate';
  if (state === 'unknown')
    return before.filter((told) => told.type === type && told.field === field).map((told) => ({ ...told, type }));
  const words = wordsOf(certificate, wall);
  return words ? [{ type, field, ...words }] : [];
}

/** @returns when time alone makes another problem of it, in milliseconds since the epoch; undefined: never */
export function certificateDueAt({ times }: ServedCertificate, wall: number): number | undefined {
  if (times === undefined) return undefined;
  return [times.dueAt, times.expiresAt].find((at) => at > wall);
}

/** The operator may be kept from Secrets: what it may not read is not wrong for that. */
function wordsOf(certificate: ServedCertificate, wall: number): Pick<Found, 'message' | 'mend'> | undefined {
  const { secret, state, times, webApp, issued } = certificate;
  const make = `kubectl create secret tls ${secret} --cert FILE --key FILE`;
  const mend = issued
    ? `see why cert-manager does not renew it (kubectl describe certificate ${names.edge(webApp)})`
    : `put a new one there (${make} --dry-run=client -o yaml | kubectl apply -f -)`;
  if (state === 'missing')
    // cert-manager makes it when it has the certificate.
    return issued
      ? undefined
      : { message: `There is no Secret ${secret}.`, mend: `make it (${make}), or correct the name` };
  if (state === 'forbidden') return undefined;
  if (times === undefined) return { message: `Secret ${secret} has no certificate in tls.crt that can be read.`, mend };
  if (times.expiresAt <= wall)
    return { message: `The certificate in Secret ${secret} expired at ${timeText(times.expiresAt)}.`, mend };
  if (times.dueAt <= wall)
    return { message: `The certificate in Secret ${secret} expires at ${timeText(times.expiresAt)}.`, mend };
  return undefined;
}

function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
