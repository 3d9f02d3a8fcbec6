// The private folder of one `webapp up`: documents and Unix sockets. Its name holds the process, so that a later run can
// remove what a killed one left.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'webapp-up-';
/** Linux's sun_path holds 107 bytes, macOS's 103 (unix(7), unix(4)); `/12/worker-12-admin.sock` comes behind the folder. */
const MAX_FOLDER_BYTES = 103 - 30;

export interface RunFolder {
  readonly path: string;
  /** @returns absolute path of a new folder in it */
  enter(name: string): string;
  /** Twice is safe. */
  close(): void;
}

/** @throws the error of making it */
export function openRunFolder(parent = tmpdir()): RunFolder {
  const place = Buffer.byteLength(parent) + PREFIX.length + 20 > MAX_FOLDER_BYTES ? '/tmp' : parent;
  removeLeftOvers(place);
  const path = mkdtempSync(join(place, `${PREFIX}${process.pid}-`));
  return {
    path,
    enter: (name) => {
      mkdirSync(join(path, name), { recursive: true });
      return join(path, name);
    },
    close: () => rmSync(path, { recursive: true, force: true }),
  };
}

function removeLeftOvers(place: string): void {
  for (const { pid, path } of foldersIn(place)) {
    if (isAlive(pid)) continue;
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // another user's
    }
  }
}

/** @returns those whose process lives; of whomever: the name is all that was looked at */
export function runFolders(parent = tmpdir()): { pid: number; path: string }[] {
  return [...new Set([parent, '/tmp'])].flatMap(foldersIn).filter(({ pid }) => isAlive(pid));
}

function foldersIn(place: string): { pid: number; path: string }[] {
  return namesIn(place).flatMap((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid === undefined ? [] : { pid: Number(pid), path: join(place, name) };
  });
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Written whole or not at all: a program that watches never reads half a document. */
export function writeDocument(path: string, document: object): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
