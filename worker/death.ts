// Why a process died, from what is known of it, in the words of a person. Pure.
import { CAUSE_WORDS } from '../core/status/death-causes.ts';
import { type DeathCause, REPLACE_CAUSES, type WorkerStatus } from '../core/status/worker.ts';
import type { BootFailure } from './runtimes/runtime.ts';

export type Death = WorkerStatus['deaths'][number];

export interface DeathFacts {
  readonly id: number;
  readonly pid: number;
  /** Whether it ever was ready. */
  readonly wasReady: boolean;
  readonly asked: 'no' | 'stop' | 'kill';
  readonly blame: { readonly cause: DeathCause; readonly detail: string } | null;
  readonly bootFailure: BootFailure | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The kernel counted one more process killed for want of memory. */
  readonly oom: boolean;
  /** Bytes the container may use; null: no limit. */
  readonly memoryLimit: number | null;
  readonly fallen: readonly { readonly method: string; readonly path: string; readonly ms: number }[];
}

/** Signals that tell of a fault inside the process, in words. */
const CRASHES: Readonly<Record<string, string>> = {
  SIGSEGV: 'a native library touched memory that is not its own',
  SIGBUS: 'a native library touched memory that is not there',
  SIGILL: 'a native library is built for another CPU',
  SIGFPE: 'an arithmetic fault in a native library',
  SIGABRT: 'the process gave itself up',
};

const MAX_TOLD = 3;

export function causeOf(facts: DeathFacts): DeathCause {
  // First, since a runtime may have guessed at the boot failure from the same signal.
  if (facts.oom) return 'oom';
  if (facts.bootFailure !== null) return 'boot';
  if (facts.asked === 'no' || diedOnItsOwn(facts)) return ownCause(facts);
  return facts.blame?.cause ?? 'shutdown';
}

/** It was to leave, but something else ended it first. */
function diedOnItsOwn({ asked, blame, signal, exitCode, fallen }: DeathFacts): boolean {
  if (asked === 'kill') return false;
  const failed = signal !== null ? signal !== 'SIGTERM' : exitCode !== 0;
  // A lost connection is how a death announces itself: the end says more than the loss.
  return failed && (fallen.length > 0 || blame?.cause === 'protocol');
}

function ownCause({ wasReady, signal }: DeathFacts): DeathCause {
  if (!wasReady) return 'boot';
  return signal === null ? 'exit' : 'signal';
}

export function isRoutine(cause: DeathCause): boolean {
  return (REPLACE_CAUSES as readonly string[]).includes(cause);
}

/** One sentence: what happened, and with which request. */
export function describeDeath(facts: DeathFacts, cause: DeathCause): string {
  const subject = `Process ${facts.id}${facts.pid > 0 ? ` (pid ${facts.pid})` : ''}`;
  // A hung request is named by the sentence already; its neighbours are not.
  const lost = cause === 'timeout' && facts.fallen.length < 2 ? '' : withRequests(facts);
  return `${subject} ${predicateOf(facts, cause)}${lost}.`;
}

function predicateOf(facts: DeathFacts, cause: DeathCause): string {
  const words = CAUSE_WORDS[cause];
  const detail = facts.blame?.detail ? `: ${facts.blame.detail}` : '';
  const killed = facts.asked === 'kill' ? ', and was killed when its time to finish was over' : '';
  switch (cause) {
    case 'boot':
      return `${words}: ${facts.bootFailure ? withoutStop(facts.bootFailure.reason) : `it ${ending(facts)}`}`;
    case 'oom':
      return `${words}${limitOf(facts)}`;
    case 'exit':
    case 'signal':
      return ending(facts);
    case 'boot-timeout':
    case 'timeout':
    case 'unhealthy':
    case 'protocol':
      return `${words}${detail}`;
    default:
      return `${words}${detail}${killed}`;
  }
}

function ending({ exitCode, signal }: DeathFacts): string {
  if (signal === null) return `${CAUSE_WORDS.exit} with code ${exitCode ?? 'unknown'}`;
  const why = CRASHES[signal];
  return `${CAUSE_WORDS.signal}: ${signal}${why === undefined ? ', sent from outside' : ` (${why})`}`;
}

function limitOf({ memoryLimit }: DeathFacts): string {
  return memoryLimit === null ? '' : ` (${Math.round(memoryLimit / 2 ** 20)} MiB)`;
}

function withRequests({ fallen }: DeathFacts): string {
  if (fallen.length === 0) return '';
  const told = fallen
    .slice(0, MAX_TOLD)
    .map(({ method, path, ms }) => `${method} ${path} (for ${(ms / 1000).toFixed(1)} s)`)
    .join(', ');
  const more = fallen.length > MAX_TOLD ? ` and ${fallen.length - MAX_TOLD} more` : '';
  return `, while it served ${told}${more}`;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

const KEPT = 20;
/** Of those kept, at most so many that were wished for: they must not push a crash out of sight. */
const KEPT_ROUTINE = 10;

/** @returns `deaths` with `death` in front, the latest first, 20 at most */
export function remember(deaths: readonly Death[], death: Death): Death[] {
  const all = [death, ...deaths];
  const routine = all.filter(({ cause }) => isRoutine(cause));
  const spare = routine.length > KEPT_ROUTINE ? routine.at(-1) : undefined;
  return all.filter((each) => each !== spare).slice(0, KEPT);
}

const BOOT_MENDS: Partial<Record<DeathCause, string>> = {
  'boot-timeout': 'See in the log where it was; do slow work after the start, not while the application is imported.',
  oom: 'Raise the memory limit of the container, or lower the number of processes.',
};

/** @returns what a process that died before it was ready says to whoever must mend it */
export function bootFailureOf(facts: DeathFacts, cause: DeathCause): BootFailure {
  if (cause === 'boot' && facts.bootFailure !== null) return facts.bootFailure;
  return {
    reason: describeDeath(facts, cause),
    mend: BOOT_MENDS[cause] ?? 'See in the log what the application wrote before it ended.',
    traceback: '',
  };
}
