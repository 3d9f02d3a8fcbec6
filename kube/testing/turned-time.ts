// Timers that are turned while real sockets work: waits of minutes pass in moments, and none is slept through.
import { afterEach, beforeEach, vi } from 'vitest';

const DEFAULT_STEP_MS = 100;
/** Of real time between two turns, so that sockets get their turn too. */
const EVERY_MS = 2;
const every = setInterval;
const stop = clearInterval;

/** To be called once at the top of a test file. @returns `by`: how far time moves with each turn, in milliseconds; 100 at the start of each test */
export function turnTime(): { by(stepMs: number): void } {
  let stepMs = DEFAULT_STEP_MS;
  let turning: NodeJS.Timeout;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    stepMs = DEFAULT_STEP_MS;
    turning = every(() => vi.advanceTimersByTime(stepMs), EVERY_MS);
  });
  afterEach(() => {
    stop(turning);
    vi.useRealTimers();
  });
  return {
    by(ms) {
      stepMs = ms;
    },
  };
}
