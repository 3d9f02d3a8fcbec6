// The refusals of the fake API server, worded as Status objects of the real one.

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, message: string, reason = REASONS[status] ?? 'Unknown') {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export function statusOf({ status, reason, message }: Refusal): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status };
}
