// An answer that is no success, read as a Status (metav1): what the API server says went wrong, and when to come again.
import type { IncomingHttpHeaders } from 'node:http';
import { KubeError } from '../errors.ts';

/** Longest message kept, in UTF-16 units: it ends in logs, conditions and events. */
const MAX_MESSAGE = 4_096;
/** Causes kept. The API server names one for each field that it refuses. */
const MAX_CAUSES = 32;
/** A Retry-After beyond this is taken for this: a date far ahead must not stop a caller for good. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/**
 * @param what method and path, for an answer without a message
 * @param body the answer's text, possibly no JSON at all (a load balancer's page)
 * @param wallMs for a Retry-After that is a date
 */
export function apiError(
  what: string,
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  wallMs: number,
): KubeError {
  const { message, reason, details } = readStatus(body);
  const seconds = details?.retryAfterSeconds;
  return new KubeError('API', (message ?? `${what} was answered ${status}`).slice(0, MAX_MESSAGE), {
    status,
    reason: reason ?? '',
    causes: details?.causes ?? [],
    retryAfterMs: readRetryAfter(
      headers['retry-after'] ?? (seconds === undefined ? undefined : String(seconds)),
      wallMs,
    ),
  });
}

interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly details: { readonly retryAfterSeconds?: number; readonly causes: readonly string[] };
}

function readStatus(body: string): Partial<Status> {
  try {
    const { kind, message, reason, details } = JSON.parse(body) as Record<string, unknown>;
    if (kind !== 'Status') return {};
    const { retryAfterSeconds: seconds, causes } = (details ?? {}) as { retryAfterSeconds?: unknown; causes?: unknown };
    return {
      ...(typeof message === 'string' && message !== '' ? { message } : {}),
      ...(typeof reason === 'string' ? { reason } : {}),
      details: {
        causes: Array.isArray(causes) ? causes.slice(0, MAX_CAUSES).flatMap(reasonOf) : [],
        ...(typeof seconds === 'number' ? { retryAfterSeconds: seconds } : {}),
      },
    };
  } catch {
    return {};
  }
}

function reasonOf(cause: { readonly reason?: unknown } | null): string[] {
  const reason = cause?.reason;
  return typeof reason === 'string' ? [reason] : [];
}

/** RFC 9110 §10.2.3: seconds, or a date. @returns milliseconds from now; undefined: nothing that can be read */
export function readRetryAfter(value: string | undefined, wallMs: number): number | undefined {
  if (value === undefined) return undefined;
  const isSeconds = /^\d+$/.test(value.trim());
  if (!isSeconds && !/^[A-Z][a-z]{2}, .* GMT$/.test(value)) return undefined;
  const ms = isSeconds ? Number(value) * 1_000 : Date.parse(value) - wallMs;
  return Number.isNaN(ms) ? undefined : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}
