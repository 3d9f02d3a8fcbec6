// What an installation of the operator decides for all WebApps.

export interface Settings {
  /** Image of the proxy's pods, of the same version as the operator. */
  readonly proxyImage: string;
  /** Such as `cluster.local`, for URLs. */
  readonly clusterDomain: string;
  /** Time that a pod keeps taking requests after SIGTERM, until all proxies and load balancers know. Milliseconds. */
  readonly drainDelayMs: number;
}
