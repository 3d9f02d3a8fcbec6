// The one place where discovery reads files. Bounded: what people write by hand is small, and what is large is not read.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A folder of source as discovery sees it. Paths are relative to it. */
export interface SourceFolder {
  /** Absolute. */
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  /** Names of the files in it, sorted. */
  readonly files: readonly string[];
  /** Names of the folders in it, sorted, without hidden ones. */
  readonly folders: readonly string[];
  isFile(path: string): boolean;
  isFolder(path: string): boolean;
  /** @returns the file's text, '' when it cannot be read or is too large */
  read(path: string): string;
  /** A folder inside it. */
  enter(path: string): SourceFolder;
}

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_ENTRIES = 5000;

/** @param path absolute; a folder that cannot be read is seen as empty */
export function openFolder(path: string): SourceFolder {
  const entries = entriesOf(path);
  return {
    path,
    name: basename(path),
    files: entries.filter((name) => statOf(join(path, name))?.isFile()),
    folders: entries.filter((name) => !name.startsWith('.') && statOf(join(path, name))?.isDirectory()),
    isFile: (name) => statOf(join(path, name))?.isFile() ?? false,
    isFolder: (name) => statOf(join(path, name))?.isDirectory() ?? false,
    read: (name) => readSmall(join(path, name)),
    enter: (name) => openFolder(join(path, name)),
  };
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path).sort().slice(0, MAX_ENTRIES);
  } catch {
    return [];
  }
}

function readSmall(path: string): string {
  try {
    return (statOf(path)?.size ?? Number.POSITIVE_INFINITY) <= MAX_FILE_BYTES ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false });
