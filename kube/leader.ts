// One of several replicas works at a time: leader election on a coordination.k8s.io/v1 Lease, as client-go does it (15 s lease,
// renewed within 10 s, tried every 2 s). Whether another's lease has run out is judged by how long *we* saw it unchanged, not by clocks of others.

import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Client } from './client.ts';

export interface LeaderOptions {
  /** On a transport of its own. */
  readonly client: Client;
  readonly namespace: string;
  /** Of the Lease; also the label of `leader_election_master_status`. */
  readonly name: string;
  /** Unique to this process, such as pod name and a random part. */
  readonly identity: string;
  readonly leaseMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  /** Called once, when the Lease is ours. */
  readonly onElected: () => void;
  /** Called once, when it could not be renewed in time, or another holds it: what is not stopped at once writes twice. */
  readonly onLost: (reason: string) => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly registry?: Registry;
  readonly random?: () => number;
}

export interface LeaderElection {
  start(): void;
  isLeader(): boolean;
  /** Stops renewing; a Lease that is ours is released (holderIdentity emptied), so that the next takes it at once. Twice is safe. */
  stop(): Promise<void>;
}

export declare function makeLeaderElection(options: LeaderOptions): LeaderElection;
