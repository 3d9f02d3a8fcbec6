// What the front counts: plain numbers on the hot path, read by the status document and by metrics.ts.
import { AnswerCounts } from '../../http/answer-counts.ts';
import { TracedDurations } from '../../http/traced-durations.ts';
import type { FrontSnapshot } from './front.ts';

export class FrontCounters {
  readonly answers = new AnswerCounts();
  /** Handed to another process because the first died. */
  redispatched = 0;
  /** From the last byte of the request's body until a slot is taken, or the wait is given up. */
  readonly queueTime = new TracedDurations();
  /** From then until the slot is free again. */
  readonly appTime = new TracedDurations();

  requests(): FrontSnapshot['requests'] {
    const { answers, redispatched } = this;
    const { ended, inFlight } = answers;
    return { total: ended + inFlight, inFlight, byClass: answers.byClass(), faults: answers.faults(), redispatched };
  }

  durations(): FrontSnapshot['durations'] {
    return { queue: this.queueTime.told(), app: this.appTime.told() };
  }
}
