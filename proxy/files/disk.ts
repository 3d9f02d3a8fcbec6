// Finding and reading files below a folder, so that nothing outside it can be reached: the one place of the static files that
// asks the file system for more than the bytes of an open file.
import { hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';

export interface FoundFile {
  /** Real path, as bytes: a file name need not be UTF-8. */
  readonly path: Buffer;
  readonly size: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly modifiedMs: number;
  /** Changes whenever the file is another one or was written to. */
  readonly version: string;
  /**
   * Size and time of change only: the same for equal copies on another machine, when their times were kept. Size and path where
   * there is no true time.
   */
  readonly tag: string;
}

/** What `stat` tells with `bigint`, as far as it matters here. */
export interface FileFacts {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export function versionOf(facts: FileFacts): string {
  return `${facts.dev}-${facts.ino}-${facts.size}-${facts.mtimeNs}`;
}

/** Neither follows a link that was put in the file's place since it was resolved, nor waits for a pipe's writer. */
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const SLASH = 0x2f;
/** The path leads nowhere, as opposed to: the disk or the process is in trouble. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EINVAL']);

/**
 * Symbolic links are followed as long as they stay inside the real folder. Both are resolved anew each time: a release folder
 * or a mounted ConfigMap is changed by swapping a link.
 * @param relative a string of bytes (latin1), checked by `relativePath`
 * @returns null when there is no regular file at that path inside `directory`
 * @throws errors of the system other than absence, such as EMFILE and EIO
 */
export async function findFile(directory: string, relative: string): Promise<FoundFile | null> {
  try {
    const path = await realpath(
      Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(relative, 'latin1')]),
      'buffer',
    );
    if (!isInside(await realpath(directory, 'buffer'), path)) return null;
    const facts = await stat(path, { bigint: true });
    return facts.isFile() ? foundFile(path, facts) : null;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

/**
 * @param most bytes; more is not read
 * @returns the content, of whatever size the file has by now, or null when it is gone, or larger than `most`
 */
export async function readSmall(file: FoundFile, most: number): Promise<Buffer | null> {
  let handle: FileHandle;
  try {
    handle = await open(file.path, OPEN_FLAGS);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
  try {
    return await readUpTo(handle, most);
  } finally {
    await handle.close();
  }
}

/** One byte more than `most` is asked for: a file that has grown shows itself. */
async function readUpTo(handle: FileHandle, most: number): Promise<Buffer | null> {
  const buffer = Buffer.allocUnsafe(most + 1);
  let length = 0;
  while (length <= most) {
    const { bytesRead } = await handle.read(buffer, length, most + 1 - length, length);
    if (bytesRead === 0) return Buffer.from(buffer.subarray(0, length));
    length += bytesRead;
  }
  return null;
}

function foundFile(path: Buffer, facts: FileFacts): FoundFile {
  const modifiedMs = Number(facts.mtimeNs / 1000n) / 1000;
  const which = hasTrueTime(modifiedMs) ? facts.mtimeNs.toString(16) : hash('sha256', path, 'base64url').slice(0, 16);
  return {
    path,
    size: Number(facts.size),
    modifiedMs,
    version: versionOf(facts),
    tag: `${facts.size.toString(16)}-${which}`,
  };
}

const FIRST_TRUE_MS = Date.UTC(1990, 0);

/** Builders of reproducible images give every file of every version the same time, 1970 or 1980: it tells no two of them apart. */
export function hasTrueTime(modifiedMs: number): boolean {
  return modifiedMs >= FIRST_TRUE_MS;
}

function isInside(root: Buffer, path: Buffer): boolean {
  const end = root[root.length - 1] === SLASH ? root.length - 1 : root.length;
  return path.length > end && path[end] === SLASH && path.subarray(0, end).equals(root.subarray(0, end));
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ABSENT.has(String(error.code));
}
