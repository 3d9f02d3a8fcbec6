// What the API server, or the way to it, can answer besides success. Software decides by `code` and `reason`, never by message.
import { CodedError } from '../core/errors.ts';

/**
 * - `API`: the server answered with a Status; see `status` and `reason`.
 * - `NETWORK`: no connection, or it broke. `TIMEOUT`: no answer in time. `INVALID_RESPONSE`: an answer that is not JSON.
 * - `CREDENTIALS`: the token, certificate or kubeconfig could not be read. `CLOSED`: the transport was closed or the call aborted.
 */
export type KubeErrorCode = 'API' | 'NETWORK' | 'TIMEOUT' | 'INVALID_RESPONSE' | 'CREDENTIALS' | 'CLOSED';

export class KubeError extends CodedError<KubeErrorCode> {
  /** HTTP status; 0 when there was no answer. For an ERROR event of a watch: the Status' `code`. */
  readonly status: number;
  /** metav1.StatusReason, such as `NotFound`, `Conflict`, `Invalid`, `Expired`, `Forbidden`; '' when there was no Status. */
  readonly reason: string;
  /** The reasons among `details.causes` (metav1.CauseType), such as `FieldValueInvalid`, `NamespaceTerminating`. */
  readonly causes: readonly string[];
  /** Milliseconds that Retry-After asks for. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    details: {
      status?: number;
      reason?: string;
      causes?: readonly string[];
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(code, message, { cause: details.cause });
    this.status = details.status ?? 0;
    this.reason = details.reason ?? '';
    this.causes = details.causes ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof KubeError && error.status === 404;
export const isConflict = (error: unknown): boolean => error instanceof KubeError && error.status === 409;
/** The resource version asked for is no longer there: list again (410, or an ERROR event that says so). */
export const isGone = (error: unknown): boolean => error instanceof KubeError && error.status === 410;
/** The object is against its schema or its kind's rules. */
export const isInvalid = (error: unknown): boolean => error instanceof KubeError && error.status === 422;
/** The object itself is refused (400, 403, 413, 422): trying again the same way does not help. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof KubeError && [400, 403, 413, 422].includes(error.status);
/** Nothing can be made in the namespace any more: it is being deleted, with all that is in it. */
export const isNamespaceEnding = (error: unknown): boolean =>
  error instanceof KubeError && error.causes.includes('NamespaceTerminating');
/** The server did not answer, or its answer broke off. */
export const isOutage = (error: unknown): boolean =>
  error instanceof KubeError && (error.code === 'NETWORK' || error.code === 'TIMEOUT');
