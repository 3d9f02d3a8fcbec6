// An application process must not outlive its supervisor, not even while its event loop is blocked by `while (true)`, when it
// would not see the control pipe close. On Linux the kernel is asked to kill it (prctl(2), PR_SET_PDEATHSIG), through node:ffi:
// no wrapper program that an image may lack (`setpriv`), no native module, half a megabyte. Elsewhere, and where node:ffi is
// not there (it is experimental and can be switched off), a thread watches: 9 MB.
import { Worker } from 'node:worker_threads';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9n;
const WATCH_MS = 250;

/**
 * @param parent process id of the supervisor
 * @returns who will kill this process when the supervisor is gone
 */
export function dieWithSupervisor(parent: number): 'kernel' | 'thread' {
  if (!askKernel()) {
    watchParent(parent);
    return 'thread';
  }
  // The supervisor had gone before the kernel was asked.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  return 'kernel';
}

function askKernel(): boolean {
  if (process.platform !== 'linux') return false;
  const warn = process.emitWarning;
  // That node:ffi is experimental is said to those who chose it, not to the application's log.
  process.emitWarning = () => undefined;
  try {
    return setDeathSignal();
  } catch {
    return false;
  } finally {
    process.emitWarning = warn;
  }
}

/** prctl takes its arguments as variadic unsigned longs, which Linux passes like fixed ones on all 64-bit machines Node runs on. */
function setDeathSignal(): boolean {
  const ffi = process.getBuiltinModule('node:ffi');
  if (ffi === undefined) return false;
  const { functions } = ffi.dlopen(null, {
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  });
  return functions.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n) === 0;
}

function watchParent(parent: number): void {
  const source = `setInterval(() => {
    if (process.ppid !== ${parent}) process.kill(process.pid, 'SIGKILL');
  }, ${WATCH_MS});`;
  // Without the application's NODE_OPTIONS: what it preloads into its process (tracers) it does not want twice.
  const limits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };
  new Worker(source, { eval: true, execArgv: [], env: {}, resourceLimits: limits }).unref();
}
