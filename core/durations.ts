// How long things took, counted in buckets: adds on the hot path, and whatever a person or Prometheus asks for from them. The bounds are the same
// everywhere, so that numbers of pods, of programs and of minutes can be added up.

/** Upper bounds in milliseconds, 1 ms to 60 s: neighbours lie a factor of 1.3 to 2 apart, which is how far off a quantile may be. */
export const DURATION_BOUNDS_MS = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000,
  15_000, 20_000, 30_000, 45_000, 60_000,
] as const;

export interface DurationCounts {
  /** How many fell into each bucket; one more than there are bounds, the last is what took longer than all. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** Counted since the start; never taken back. */
export class Durations implements DurationCounts {
  readonly counts: number[] = new Array<number>(DURATION_BOUNDS_MS.length + 1).fill(0);
  sumMs = 0;

  /** @returns the bucket it fell into, an index of `counts` */
  observe(ms: number): number {
    const bucket = bucketOf(ms);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sumMs += ms;
    return bucket;
  }
}

/** By halves: five comparisons. */
function bucketOf(ms: number): number {
  let low = 0;
  let high: number = DURATION_BOUNDS_MS.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ms <= (DURATION_BOUNDS_MS[middle] ?? Number.POSITIVE_INFINITY)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** @returns what came since `before`; all of `now` when that is not an earlier state of the same counts (the program was started anew) */
export function since(now: DurationCounts, before: DurationCounts | undefined): DurationCounts {
  if (before === undefined || now.counts.some((count, i) => count < (before.counts[i] ?? 0))) return now;
  return {
    counts: now.counts.map((count, i) => count - (before.counts[i] ?? 0)),
    sumMs: Math.max(0, now.sumMs - before.sumMs),
  };
}

export function addUp(all: readonly DurationCounts[]): DurationCounts {
  const counts = new Array<number>(DURATION_BOUNDS_MS.length + 1).fill(0);
  let sumMs = 0;
  for (const one of all) {
    one.counts.forEach((count, i) => {
      counts[i] = (counts[i] ?? 0) + count;
    });
    sumMs += one.sumMs;
  }
  return { counts, sumMs };
}

/**
 * As Prometheus' histogram_quantile: linear inside the bucket; the largest bound for what took longer.
 * @param q in (0, 1)
 * @returns milliseconds; undefined: nothing was counted
 */
export function quantileOf({ counts }: DurationCounts, q: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [i, count] of counts.entries()) {
    const upper = DURATION_BOUNDS_MS[i];
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = i === 0 ? 0 : (DURATION_BOUNDS_MS[i - 1] ?? 0);
      return lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return DURATION_BOUNDS_MS.at(-1);
}
