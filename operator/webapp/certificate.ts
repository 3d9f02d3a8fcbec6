// The certificate that a Secret holds: when it ends, and from when on that is worth saying. Pure. Somebody else wrote the Secret: what does not parse
// is told as such, and nothing but two times is kept.
import { X509Certificate } from 'node:crypto';
import type { NamedState } from '../../kube/named.ts';
import { fieldsOf, textOf } from './plan/json-fields.ts';

/** Milliseconds since the epoch. */
export interface CertificateTimes {
  readonly expiresAt: number;
  /** From then on it is late to renew it. */
  readonly dueAt: number;
}

const KEY = 'tls.crt';
/** Of base64, from the beginning: a chain of certificates takes a few KiB, and the first is the one that is served. */
const MAX_TEXT = 128 * 1024;
const END = '-----END CERTIFICATE-----';
const DAY_MS = 86_400_000;
const NOTICE_MS = 14 * DAY_MS;
/** One that is made for a day is renewed in its last third: of a short life the last quarter counts. */
const SHARE_OF_LIFE = 4;
const UNREADABLE = 'unreadable';

/** For kube/named.ts. @param object a Secret or ConfigMap @returns undefined: it has no `tls.crt` */
export function extractCertificate(object: Readonly<Record<string, unknown>>): string | undefined {
  const text = textOf(fieldsOf(object['data'])[KEY]);
  if (text === undefined) return undefined;
  const times = readCertificate(Buffer.from(text.slice(0, MAX_TEXT), 'base64').toString('latin1'));
  return times === undefined ? UNREADABLE : `${times.expiresAt} ${times.dueAt}`;
}

/** @param state of a Secret whose extract was made by extractCertificate @returns undefined: it holds none that can be read */
export function certificateTimes(state: NamedState): CertificateTimes | undefined {
  const [expiresAt = NaN, dueAt = NaN] = state.state === 'present' ? (state.extract ?? '').split(' ').map(Number) : [];
  return Number.isNaN(expiresAt) || Number.isNaN(dueAt) ? undefined : { expiresAt, dueAt };
}

function readCertificate(pem: string): CertificateTimes | undefined {
  try {
    const end = pem.indexOf(END);
    const { validFromDate, validToDate } = new X509Certificate(end < 0 ? pem : pem.slice(0, end + END.length));
    const expiresAt = validToDate.getTime();
    const life = expiresAt - validFromDate.getTime();
    return Number.isFinite(life)
      ? { expiresAt, dueAt: expiresAt - Math.min(NOTICE_MS, life / SHARE_OF_LIFE) }
      : undefined;
  } catch {
    return undefined;
  }
}
