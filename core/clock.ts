/** Time as data: everything that waits or measures takes a `Clock`, so that tests turn it by hand. Milliseconds throughout. */
export interface Clock {
  /** Monotonic milliseconds, for durations. */
  now(): number;
  /** Wall-clock milliseconds since the epoch, for people. */
  wall(): number;
}

export const systemClock: Clock = { now: () => performance.now(), wall: () => Date.now() };
