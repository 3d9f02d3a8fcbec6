// client-go's metrics of its requests, under their names, so that dashboards made for other controllers work.
import { Counter, Histogram, type Registry } from 'prom-client';

export interface RestMetrics {
  /** One try has its head. @param code HTTP status, or `<error>` when there was no answer */
  answered(method: string, code: string, seconds: number): void;
  /** A try is sent again. */
  again(method: string, code: string): void;
}

/** client-go's, in seconds. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Several transports may share one registry. */
export function makeRestMetrics(registry: Registry, host: string): RestMetrics {
  const { requests, durations, retries } = registered(registry);
  // Bound once: finding the child of a set of labels costs more than counting.
  const requestsOf = remembered((method: string, code: string) => requests.labels({ code, method, host }));
  const durationsOf = remembered((method: string) => durations.labels({ verb: method, host }));
  return {
    answered(method, code, seconds) {
      requestsOf(method, code).inc();
      durationsOf(method).observe(seconds);
    },
    again(method, code) {
      retries.inc({ code, verb: method, host });
    },
  };
}

/** For few different arguments: methods and statuses. */
function remembered<A extends string[], R>(make: (...args: A) => R): (...args: A) => R {
  const made = new Map<string, R>();
  return (...args) => {
    const key = args.join(' ');
    const there = made.get(key);
    if (there !== undefined) return there;
    const fresh = make(...args);
    made.set(key, fresh);
    return fresh;
  };
}

interface Instruments {
  readonly requests: Counter<'code' | 'method' | 'host'>;
  readonly durations: Histogram<'verb' | 'host'>;
  readonly retries: Counter<'code' | 'verb' | 'host'>;
}

const known = new WeakMap<Registry, Instruments>();

function registered(registry: Registry): Instruments {
  const there = known.get(registry);
  if (there !== undefined) return there;
  const registers = [registry];
  const made: Instruments = {
    requests: new Counter({
      name: 'rest_client_requests_total',
      help: 'Requests to the API server, tries again included.',
      labelNames: ['code', 'method', 'host'],
      registers,
    }),
    durations: new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: 'Seconds until the API server began its answer.',
      labelNames: ['verb', 'host'],
      buckets: BUCKETS,
      registers,
    }),
    retries: new Counter({
      name: 'rest_client_request_retries_total',
      help: 'Requests that were sent again: throttled, refused credentials, or a dead connection.',
      labelNames: ['code', 'verb', 'host'],
      registers,
    }),
  };
  known.set(registry, made);
  return made;
}
