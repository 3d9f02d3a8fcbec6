// Events (events.k8s.io/v1) for people: `kubectl describe` shows them. Told in the background, bounded, aggregated: a repeated event becomes a
// series on the first one's object, and a source that floods is cut (client-go: burst 25 per object, refill 1 per 300 s; LRU of 4,096).
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Client } from './client.ts';
import type { KubeObject } from './object.ts';

export interface KubeEvent {
  readonly regarding: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was done or tried, CamelCase. */
  readonly action: string;
  /** For people; cut to 1,024 bytes. */
  readonly note: string;
}

export interface EventRecorder {
  /** Never throws, never waits. */
  record(event: KubeEvent): void;
  /** Sends what is queued, for at most `graceMs`. Twice is safe. */
  close(graceMs: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** reportingController, such as `webapp-operator.io/operator`. */
  readonly controller: string;
  /** reportingInstance: this process' identity. */
  readonly instance: string;
  readonly log: Log;
  readonly clock: Clock;
}

export declare function makeEventRecorder(options: EventRecorderOptions): EventRecorder;
