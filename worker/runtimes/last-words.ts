// The end of a process may be noticed before what it said: a connection is taken in one turn of the event loop, and what came
// on it is read in the next.
const TURNS = 3;

/** Calls `then` when what a process that has ended wrote has been seen, or has begun to be read. */
export function afterLastWords(then: () => void, turns = TURNS): void {
  if (turns === 0) then();
  else setImmediate(() => afterLastWords(then, turns - 1));
}
