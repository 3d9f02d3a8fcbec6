// What has become of attempts and requests, for status and metrics.
export class Counts {
  readonly attempts = { ok: 0, refused: 0, connectTimeout: 0, closed: 0, invalid: 0, timeout: 0, cancelled: 0 };
  readonly retried = { reused: 0, fresh: 0 };
  inFlight = 0;
}
