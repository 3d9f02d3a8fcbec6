// The status document, made from what the parts say of themselves. Pure.
import type { ProxyStatus } from '../core/status/proxy.ts';
import type { AppliedConfig } from '../core/status/worker.ts';

export interface StatusFacts {
  readonly name: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly state: ProxyStatus['state'];
  readonly config: AppliedConfig;
  readonly connections: ProxyStatus['connections'];
  readonly requests: Omit<ProxyStatus['requests'], 'retried'>;
  readonly retried: { readonly reused: number; readonly fresh: number };
  readonly groups: ProxyStatus['groups'];
}

export function makeProxyStatus(facts: StatusFacts): ProxyStatus {
  const { name, pid, startedAt, state, config, connections, groups, retried } = facts;
  const requests = { ...facts.requests, retried: retried.reused + retried.fresh };
  return { kind: 'ProxyStatus', version: 1, name, pid, startedAt, state, config, connections, requests, groups };
}
