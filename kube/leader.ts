// One of several replicas works at a time: leader election on a coordination.k8s.io/v1 Lease, as client-go does it (15 s lease,
// renewed within 10 s, tried every 2 s). Whether another's lease has run out is judged by how long *we* saw it unchanged, not by clocks of others.

import { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Client } from './client.ts';
import { isConflict, isNotFound, KubeError } from './errors.ts';
import { type FailureLog, makeFailureLog } from './failure-log.ts';
import { claimedLease, LEASES, readLease, releasedLease } from './lease.ts';
import { leaderMeter } from './metrics.ts';
import type { KubeObject } from './object.ts';
import type { Transport } from './transport.ts';

export interface LeaderOptions {
  /** On a transport of its own, best made with `leaseTransport`. */
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
  /** By the clock too: false as soon as the renew deadline has passed, even when the process was held up and `onLost` is yet to come. */
  isLeader(): boolean;
  /** Stops renewing; a Lease that is ours is released (holderIdentity emptied), so that the next takes it at once. Twice is safe. */
  stop(): Promise<void>;
}

/** @throws RangeError unless lease > renew deadline > retry (with its jitter) > 0 */
export function makeLeaderElection(options: LeaderOptions): LeaderElection {
  return new Election(options);
}

/** @returns `transport` whose calls give up after half the renew deadline, so that a call that hangs leaves time for another */
export function leaseTransport(transport: Transport, renewDeadlineMs = RENEW_DEADLINE_MS): Transport {
  const bounded = <T extends { readonly timeoutMs?: number }>(request: T): T => ({
    ...request,
    timeoutMs: Math.min(request.timeoutMs ?? Number.POSITIVE_INFINITY, renewDeadlineMs / 2),
  });
  return {
    request: (request) => transport.request(bounded(request)),
    text: (request) => transport.text(bounded(request)),
    watch: (request) => transport.watch(request),
    close: () => transport.close(),
  };
}

/** client-go's defaults for controllers. */
const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
/** Those who stand by ask after `retryMs` and up to so much of it more. */
const STANDBY_JITTER = 0.25;

/** When the write was sent that made the Lease ours; or whose it is. */
type Claimed = { readonly sentAt: number } | { readonly holder: string };

/** idle → standby → leading → over; over is also reached from each by `stop`. */
type Phase = 'idle' | 'standby' | 'leading' | 'over';

class Election implements LeaderElection {
  readonly #options: LeaderOptions;
  readonly #leaseMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failures: FailureLog;
  readonly #show: (leads: boolean) => void;
  #phase: Phase = 'idle';
  #rounds: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  /** The Lease as last read or written. */
  #lease: KubeObject | undefined;
  /** What the holder last wrote, and when *we* first saw it. */
  #seen = { fingerprint: '', holder: '', at: 0 };
  /** When the write was sent that last made the Lease ours: others cannot have seen it before. */
  #renewedAt = 0;
  /** A write of ours was sent: the Lease may be ours even if we never heard so. */
  #mayHold = false;
  #deadline: NodeJS.Timeout | undefined;
  #endPause: () => void = () => undefined;

  constructor(options: LeaderOptions) {
    const { leaseMs = LEASE_MS, renewDeadlineMs = RENEW_DEADLINE_MS, retryMs = RETRY_MS } = options;
    const slowestRetryMs = retryMs * (1 + STANDBY_JITTER);
    if (!(leaseMs > renewDeadlineMs && renewDeadlineMs > slowestRetryMs && retryMs > 0))
      throw new RangeError(
        `leader election: leaseMs ${leaseMs} must be more than renewDeadlineMs ${renewDeadlineMs}, that more than retryMs ${retryMs} and a quarter of it`,
      );
    this.#options = options;
    this.#leaseMs = leaseMs;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryMs = retryMs;
    this.#clock = options.clock;
    this.#log = options.log.with({ lease: `${options.namespace}/${options.name}`, identity: options.identity });
    this.#failures = makeFailureLog({ log: this.#log, clock: options.clock, burst: 3, everyMs: 60_000 });
    this.#show = leaderMeter(options.registry ?? new Registry(), options.name);
  }

  start(): void {
    if (this.#phase !== 'idle') return;
    this.#phase = 'standby';
    this.#rounds = this.#run();
  }

  isLeader(): boolean {
    return this.#phase === 'leading' && this.#clock.now() - this.#renewedAt < this.#renewDeadlineMs;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const lost = this.#phase === 'over';
    this.#end();
    await this.#rounds;
    // What was lost is left to run out: the caller may not have stopped writing yet.
    if (this.#mayHold && !lost) await this.#release();
  }

  async #run(): Promise<void> {
    while (this.#phase !== 'over') {
      const begun = this.#clock.now();
      await this.#round();
      await this.#pause(begun);
    }
  }

  /** What the callbacks throw is not caught: a leader that does not work must not look like one. */
  async #round(): Promise<void> {
    const claimed = await this.#tryToClaim();
    if (claimed === undefined || this.#phase === 'over') return;
    if ('sentAt' in claimed) this.#renewed(claimed.sentAt);
    else this.#heldByAnother(claimed.holder);
  }

  async #tryToClaim(): Promise<Claimed | undefined> {
    try {
      return await this.#claim();
    } catch (error) {
      // A conflict: another was faster, and the next round will see who.
      if (this.#phase !== 'over' && !isConflict(error))
        this.#failures.say('the Lease could not be read or written', error);
      return undefined;
    }
  }

  async #claim(): Promise<Claimed | undefined> {
    if (this.#phase === 'leading' && this.#lease !== undefined) {
      try {
        return await this.#write(this.#lease);
      } catch (error) {
        // An answer that refuses what we remember: look what is there. No answer: nothing learnt.
        if (!(error instanceof KubeError) || error.code !== 'API') throw error;
      }
    }
    const lease = await this.#read();
    if (this.#phase === 'over') return undefined;
    if (lease === undefined || this.#isFree(lease)) return await this.#write(lease);
    return { holder: readLease(lease).holder };
  }

  async #read(): Promise<KubeObject | undefined> {
    const { client, namespace, name } = this.#options;
    try {
      const lease = await this.#inTime(() => client.get(LEASES, { namespace, name }));
      this.#see(lease);
      return lease;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #write(lease: KubeObject | undefined): Promise<Claimed> {
    const { client, namespace, name, identity } = this.#options;
    const claim = { namespace, name, identity, leaseMs: this.#leaseMs, wall: this.#clock.wall() };
    const claimed = claimedLease(lease, claim);
    const sentAt = this.#clock.now();
    this.#mayHold = true;
    const written = await this.#inTime(() =>
      lease === undefined ? client.create(LEASES, claimed) : client.replace(LEASES, claimed),
    );
    this.#see(written);
    return { sentAt };
  }

  #see(lease: KubeObject): void {
    this.#lease = lease;
    const { fingerprint, holder } = readLease(lease);
    if (fingerprint === this.#seen.fingerprint) return;
    if (holder !== this.#seen.holder && holder !== '' && holder !== this.#options.identity)
      this.#log.info('another leads', { holder });
    this.#seen = { fingerprint, holder, at: this.#clock.now() };
  }

  /** Nobody's, ours (an answer that we missed), or not renewed for as long as it holds, on our own clock. */
  #isFree(lease: KubeObject): boolean {
    const { holder, durationMs } = readLease(lease);
    const unchangedMs = this.#clock.now() - this.#seen.at;
    return holder === '' || holder === this.#options.identity || unchangedMs >= (durationMs ?? this.#leaseMs);
  }

  #renewed(sentAt: number): void {
    const leftMs = sentAt + this.#renewDeadlineMs - this.#clock.now();
    // An answer that came too late is none: others may have seen the Lease run out since.
    if (leftMs <= 0) return;
    this.#renewedAt = sentAt;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lose(`not renewed for ${this.#renewDeadlineMs} ms`), leftMs);
    if (this.#phase === 'standby') this.#elect();
  }

  #elect(): void {
    this.#phase = 'leading';
    this.#show(true);
    this.#log.info('elected');
    this.#options.onElected();
  }

  #heldByAnother(holder: string): void {
    this.#mayHold = false;
    if (this.#phase === 'leading') this.#lose(`${holder} holds the Lease`);
  }

  #lose(reason: string): void {
    this.#end();
    this.#log.error('leadership lost', { reason });
    this.#options.onLost(reason);
  }

  #end(): void {
    this.#phase = 'over';
    this.#show(false);
    clearTimeout(this.#deadline);
    this.#endPause();
  }

  async #release(): Promise<void> {
    const { client, identity } = this.#options;
    try {
      await this.#inTime(async () => {
        const lease = await this.#read();
        if (lease === undefined || readLease(lease).holder !== identity) return;
        await client.replace(LEASES, releasedLease(lease, this.#clock.wall()));
        this.#log.info('released');
      });
    } catch (error) {
      this.#failures.say('the Lease could not be released: the next waits until it has run out', error);
    }
  }

  /** The leader keeps the beat; those who stand by come each at a time of their own. */
  #pause(roundBegun: number): Promise<void> {
    if (this.#phase === 'over') return Promise.resolve();
    const { random = Math.random } = this.#options;
    const spentMs = this.#clock.now() - roundBegun;
    const ms =
      this.#phase === 'leading'
        ? Math.max(this.#retryMs - spentMs, this.#retryMs / 4)
        : this.#retryMs * (1 + STANDBY_JITTER * random());
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A call of the client, given up after half the renew deadline. It may still arrive: resourceVersion guards it. */
  async #inTime<T>(call: () => Promise<T>): Promise<T> {
    const limitMs = this.#renewDeadlineMs / 2;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new KubeError('TIMEOUT', `no answer within ${limitMs} ms`)), limitMs);
    });
    try {
      return await Promise.race([call(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
