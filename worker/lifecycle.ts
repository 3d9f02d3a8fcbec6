// What may become of an application process: a total table, state × event → next state and what is to be done, in order. Pure;
// the supervisor applies it. An unanswered pair does not compile. What looks impossible is answered too: signals, exits and
// deadlines cross each other on the way.

/** starting: not yet able to serve. ready: takes requests. draining: finishes what it has. gone: reaped. */
export type ProcessState = 'starting' | 'ready' | 'draining' | 'gone';

export type LifecycleEvent =
  /** It has its slots, and its first health check passed. */
  | 'booted'
  /** It said that it cannot start. It exits by itself. */
  | 'boot-failed'
  /** Not ready by the boot deadline. */
  | 'late'
  /** It is no longer wanted: resize, reload, recycling, shutdown. */
  | 'stop'
  /** Draining, and nothing runs in it any more. */
  | 'quiet'
  /** Draining, and all that still runs in it is past its request deadline. */
  | 'hung'
  /** The deadline of its draining has passed. */
  | 'stop-late'
  | 'exited'
  /** A request of it passed its deadline: its neighbours may finish. */
  | 'timed-out'
  | 'unhealthy'
  /** It broke the protocol, or a connection to it closed. */
  | 'broken';

export type LifecycleAction =
  /** Requests may go to it from now on. */
  | 'serve'
  /** No request goes to it from now on. */
  | 'withdraw'
  /** Ask it to leave. */
  | 'stop'
  | 'kill'
  /** Kill it, its stacks written first. */
  | 'dump'
  /** Say why it died, and forget it. */
  | 'bury';

export type Step = readonly [next: ProcessState, ...actions: LifecycleAction[]];

/**
 * A ready process that must leave is only withdrawn: it is asked to stop when it is quiet, since a request on its way to it
 * and the wish to stop travel on different connections and could overtake each other.
 */
export const LIFECYCLE: Readonly<Record<ProcessState, Readonly<Record<LifecycleEvent, Step>>>> = {
  starting: {
    booted: ['ready', 'serve'],
    'boot-failed': ['draining'],
    late: ['draining', 'dump'],
    stop: ['draining', 'stop'],
    quiet: ['starting'],
    hung: ['starting'],
    'stop-late': ['starting'],
    exited: ['gone', 'bury'],
    'timed-out': ['starting'],
    unhealthy: ['starting'],
    broken: ['draining', 'kill'],
  },
  ready: {
    booted: ['ready'],
    'boot-failed': ['ready'],
    late: ['ready'],
    stop: ['draining', 'withdraw'],
    quiet: ['ready'],
    hung: ['ready'],
    'stop-late': ['ready'],
    exited: ['gone', 'withdraw', 'bury'],
    'timed-out': ['draining', 'withdraw'],
    unhealthy: ['draining', 'withdraw'],
    broken: ['draining', 'withdraw'],
  },
  draining: {
    booted: ['draining'],
    'boot-failed': ['draining'],
    late: ['draining'],
    stop: ['draining'],
    quiet: ['draining', 'stop'],
    hung: ['draining', 'dump'],
    'stop-late': ['draining', 'kill'],
    exited: ['gone', 'bury'],
    'timed-out': ['draining'],
    unhealthy: ['draining'],
    broken: ['draining'],
  },
  gone: {
    booted: ['gone'],
    'boot-failed': ['gone'],
    late: ['gone'],
    stop: ['gone'],
    quiet: ['gone'],
    hung: ['gone'],
    'stop-late': ['gone'],
    exited: ['gone'],
    'timed-out': ['gone'],
    unhealthy: ['gone'],
    broken: ['gone'],
  },
};
