// Durations whose buckets each remember the latest trace that fell into them: the way from a slow spot in a plot to one request that
// was so slow (OpenMetrics exemplars).
import { type DurationCounts, Durations } from '../core/durations.ts';

export interface Exemplar {
  /** 32 hexadecimal digits (W3C Trace Context §3.2.2.3). */
  readonly traceId: string;
  readonly ms: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export class TracedDurations extends Durations {
  /** By bucket; absent: no traced request has fallen into it. */
  readonly exemplars: (Exemplar | undefined)[] = [];

  /**
   * @param traceId of a request whose trace is kept; '' for others
   * @returns the bucket it fell into
   */
  override observe(ms: number, traceId = ''): number {
    const bucket = super.observe(ms);
    if (traceId !== '') this.exemplars[bucket] = { traceId, ms, at: Date.now() };
    return bucket;
  }

  /** @returns a copy of the counts alone, as status documents hold them */
  told(): DurationCounts & { counts: number[] } {
    return { counts: [...this.counts], sumMs: this.sumMs };
  }
}
