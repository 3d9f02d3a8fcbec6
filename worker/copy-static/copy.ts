// Copies an application's static folder to where a proxy serves it. Runs to its end before anything else does, so it asks the
// file system synchronously: nobody waits but the copy itself. One folder entry is in memory at a time.
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  opendirSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  utimesSync,
} from 'node:fs';
import { CodedError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { CopyOrder, CopyPair } from './command-line.ts';

/** STATIC_MISSING: a folder to copy from is none. COPY_FAILED: the place to copy to does not take it. */
export class CopyError extends CodedError<'STATIC_MISSING' | 'COPY_FAILED'> {
  readonly reason: string;
  readonly mend: string;
  constructor(code: 'STATIC_MISSING' | 'COPY_FAILED', reason: string, mend: string, options?: ErrorOptions) {
    super(code, `${reason} ${mend}`, options);
    this.reason = reason;
    this.mend = mend;
  }
}

export interface CopyReport {
  files: number;
  bytes: number;
  /** There already, with the same size and time. */
  unchanged: number;
  /** Links that lead outside or nowhere, what is neither file nor folder, what may not be read. */
  skipped: number;
}

/**
 * Looks for all folders before the first byte is copied. A copy that is cut short is completed by running it again.
 * @throws CopyError
 */
export function copyStatic({ pairs, skipMissing }: CopyOrder, log: Log): void {
  const jobs = pairs.flatMap((pair) => jobOf(pair, skipMissing, log));
  for (const { from, to, root } of jobs)
    log.info('static files are copied', { from, to, ...copyFolder(root, to, log) });
}

function jobOf(pair: CopyPair, skipMissing: boolean, log: Log): (CopyPair & { root: Buffer })[] {
  try {
    return [{ ...pair, root: realFolder(pair.from) }];
  } catch (error) {
    if (!skipMissing || !(error instanceof CopyError)) throw error;
    log.warn('passed over', { reason: error.reason });
    return [];
  }
}

function realFolder(from: string): Buffer {
  try {
    const root = realpathSync(from, 'buffer');
    if (statSync(root).isDirectory()) return root;
    throw missing(from, 'is no folder');
  } catch (error) {
    if (error instanceof CopyError) throw error;
    throw missing(
      from,
      isSystemError(error) && error.code !== 'ENOENT' ? `cannot be read: ${error.code}` : 'is not there',
    );
  }
}

function missing(from: string, what: string): CopyError {
  const mend =
    'Correct proxy.static[].from, which is relative to the working directory of the image, or put the folder into it.';
  return new CopyError('STATIC_MISSING', `The folder of static files ${from} ${what}.`, mend);
}

function copyFolder(root: Buffer, to: string, log: Log): CopyReport {
  try {
    return new FolderCopy(root, makeFolder(to, root), log).run();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const mend = 'Give a folder that this user may write to, with room for all files.';
    throw new CopyError('COPY_FAILED', `The static files cannot be copied to ${to}: ${error.message}.`, mend, {
      cause: error,
    });
  }
}

/** A copy into the folder that is copied would copy itself without end. */
function makeFolder(to: string, root: Buffer): Buffer {
  mkdirSync(to, { recursive: true });
  const target = realpathSync(to, 'buffer');
  if (!isInside(root, target)) return target;
  throw new CopyError('COPY_FAILED', `The folder ${to} is inside the one that is copied.`, 'Give another one.');
}

/** Deeper than any site. */
const MAX_DEPTH = 64;
/** No folder of static files holds more; links that lead round in ever new ways do. */
const MAX_ENTRIES = 1_000_000;
/** What is left out is told one by one up to here, beyond only in number. */
const MAX_TOLD = 20;
/** Begins with a dot: never served. A folder is copied by one process at a time. */
const UNFINISHED = Buffer.from('.webapp-copy');
const SLASH = Buffer.from('/');
/** Who serves the files is another user than the application. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
/** Times lose what is below a microsecond on their way. */
const SAME_TIME_MS = 1;

class FolderCopy {
  readonly #root: Buffer;
  readonly #target: Buffer;
  readonly #log: Log;
  readonly #report: CopyReport = { files: 0, bytes: 0, unchanged: 0, skipped: 0 };
  #entries = 0;

  constructor(root: Buffer, target: Buffer, log: Log) {
    this.#root = root;
    this.#target = target;
    this.#log = log;
  }

  run(): CopyReport {
    this.#copyEntries(this.#root, this.#target, [this.#root]);
    return this.#report;
  }

  /** @param chain the folders that led here, real paths, this one last */
  #copyEntries(folder: Buffer, target: Buffer, chain: readonly Buffer[]): void {
    // latin1: a string of bytes, as a name need not be UTF-8.
    using entries = opendirSync(folder, { encoding: 'latin1' });
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      // The proxy serves no dot file: none of them, and nothing secret among them, is laid beside what it serves.
      if (entry.name.startsWith('.')) continue;
      if (++this.#entries > MAX_ENTRIES) throw tooMany(this.#root);
      const name = Buffer.from(entry.name, 'latin1');
      this.#copyEntry(entry.isSymbolicLink(), join(folder, name), join(target, name), chain);
    }
  }

  #copyEntry(isLink: boolean, path: Buffer, target: Buffer, chain: readonly Buffer[]): void {
    const real = isLink ? this.#resolve(path) : path;
    if (real === undefined) return;
    const facts = statSync(real, { throwIfNoEntry: false });
    if (!facts?.isFile() && !facts?.isDirectory()) this.#skip(path, 'is neither a file nor a folder');
    else if (!mayRead(real, facts)) this.#skip(path, 'may not be read by this user');
    else if (facts.isFile()) this.#copyFile(real, target, facts);
    else this.#copySubfolder(real, path, target, chain);
  }

  /** @returns undefined for a link that leads outside or nowhere */
  #resolve(path: Buffer): Buffer | undefined {
    const real = realPathOf(path);
    if (real !== undefined && isInside(this.#root, real)) return real;
    this.#skip(path, real === undefined ? 'is a link that leads nowhere' : 'is a link that leads outside');
    return undefined;
  }

  #copySubfolder(real: Buffer, path: Buffer, target: Buffer, chain: readonly Buffer[]): void {
    if (chain.some((above) => above.equals(real))) this.#skip(path, 'is a link to a folder that holds it');
    else if (chain.length >= MAX_DEPTH) this.#skip(path, `is more than ${MAX_DEPTH} folders deep`);
    else {
      if (mkdirSync(target, { recursive: true }) !== undefined) chmodSync(target, FOLDER_MODE);
      this.#copyEntries(real, target, [...chain, real]);
    }
  }

  /** Whole or not at all: written beside its place, then moved into it. */
  #copyFile(real: Buffer, target: Buffer, facts: Stats): void {
    const there = statSync(target, { throwIfNoEntry: false });
    if (there !== undefined && isSame(there, facts)) {
      this.#report.unchanged++;
      return;
    }
    const unfinished = join(target.subarray(0, target.lastIndexOf(SLASH)), UNFINISHED);
    copyFileSync(real, unfinished, constants.COPYFILE_FICLONE);
    chmodSync(unfinished, FILE_MODE);
    utimesSync(unfinished, facts.mtimeMs / 1000, facts.mtimeMs / 1000);
    renameSync(unfinished, target);
    this.#report.files++;
    this.#report.bytes += facts.size;
  }

  #skip(path: Buffer, why: string): void {
    if (++this.#report.skipped > MAX_TOLD) return;
    this.#log.warn(`left out: it ${why}`, { path: path.toString() });
  }
}

/** Builders of reproducible images give every file of every version the same time, 1970 or 1980: it says nothing. */
const FIRST_TRUE_MS = Date.UTC(1990, 0);

function isSame(there: Stats, facts: Stats): boolean {
  const isDated = facts.mtimeMs >= FIRST_TRUE_MS;
  return isDated && there.size === facts.size && Math.abs(there.mtimeMs - facts.mtimeMs) < SAME_TIME_MS;
}

function mayRead(path: Buffer, facts: Stats): boolean {
  try {
    accessSync(path, facts.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function realPathOf(path: Buffer): Buffer | undefined {
  try {
    return realpathSync(path, 'buffer');
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function tooMany(root: Buffer): CopyError {
  const reason = `The folder ${root} holds more than ${MAX_ENTRIES} files, counted along its links.`;
  return new CopyError('COPY_FAILED', reason, 'Name the folder of static files only.');
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}

/** @param path real, as `folder` is; the folder itself counts as inside */
function isInside(folder: Buffer, path: Buffer): boolean {
  if (folder.equals(SLASH) || path.equals(folder)) return true;
  return (
    path.length > folder.length && path[folder.length] === SLASH[0] && path.subarray(0, folder.length).equals(folder)
  );
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
