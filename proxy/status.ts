// The status document, made from what the parts say of themselves. Pure.
import type { ProxyStatus } from '../core/status/proxy.ts';

export interface StatusFacts extends Omit<ProxyStatus, 'kind' | 'version' | 'requests'> {
  readonly requests: Omit<ProxyStatus['requests'], 'retried'>;
  readonly retried: { readonly reused: number; readonly fresh: number };
}

export function makeProxyStatus({ retried, requests, ...facts }: StatusFacts): ProxyStatus {
  return {
    kind: 'ProxyStatus',
    version: 1,
    ...facts,
    requests: { ...requests, retried: retried.reused + retried.fresh },
  };
}
