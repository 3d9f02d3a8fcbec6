// Lets a program end with whoever started it: that holds the other end of the program's standard input, and the kernel closes
// it even after kill -9.
import type { Readable } from 'node:stream';

/** After the first request to leave: until the second, which programs take as "now", and until nothing is waited for. */
const PATIENCE_MS = 3_000;

/**
 * @param input standard input: a pipe on which nothing is ever written
 * @param leave asks the program to end, in order; called again when it takes its time
 * @param exit ends it
 */
export function endWithParent(input: Readable, leave: () => void, exit: () => void): void {
  const onGone = (): void => {
    leave();
    setTimeout(leave, PATIENCE_MS).unref();
    setTimeout(exit, 2 * PATIENCE_MS).unref();
  };
  input.once('close', onGone);
  input.on('error', () => {}); // 'close' follows
  input.resume();
}
