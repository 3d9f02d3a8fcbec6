// Waiting for what others do: polled, bounded, and said when it does not come.
import type { Daemon } from './daemons.ts';

const START_TIMEOUT_MS = 90_000;
/** @throws Error with the end of its log when `daemon` ends before, or takes longer than is sane */
export async function untilReady(daemon: Daemon, what: string, look: () => Promise<boolean>): Promise<void> {
  const failed = (how: string): Error => new Error(`${daemon.name} ${how} before it ${what}:\n${daemon.logTail()}`);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await look().catch(() => false))) {
    const how = daemon.ended();
    if (how !== undefined) throw failed(`ended (${how})`);
    if (performance.now() > deadline) throw failed(`took ${START_TIMEOUT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Polls until `look` holds. @throws Error that says what was waited for, after a minute */
export async function until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`no ${what} within 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
