// The static files at hand: small ones with their content, larger ones with their header fields, and paths where no file is.
// Bounded in bytes and number, least lately checked out first. What lies here is compared with the disk once a second at most,
// when asked for.
import type { Clock } from '../../core/clock.ts';
import { CODING_SUFFIX, CODINGS } from './coding.ts';
import { type FoundFile, findFile, readSmall } from './disk.ts';
import type { StaticFolder } from './path.ts';
import { type CachePolicy, makeRepresentation, type Representation, type StaticFile } from './representation.ts';

export interface ServedFolder extends StaticFolder, CachePolicy {}

/** Bounds, all but the last in bytes. */
export interface ShelfBounds {
  /** Largest file that is kept with its content. */
  readonly smallBytes: number;
  /** All contents together. */
  readonly totalBytes: number;
  /** Files, and as many paths without a file. */
  readonly entries: number;
}

const DEFAULT_BOUNDS: ShelfBounds = { smallBytes: 64 * 1024, totalBytes: 64 * 1024 * 1024, entries: 4096 };
/** How long an entry is believed, ms. */
const FRESH_MS = 1000;
/** Longer paths are looked up each time, so that hostile ones do not fill the memory. */
const LONGEST_ABSENT = 256;

interface Entry {
  readonly file: StaticFile;
  checkedAt: number;
}

export class Shelf {
  readonly #clock: Clock;
  readonly #bounds: ShelfBounds;
  /** By request path, oldest check first. */
  readonly #files = new Map<string, Entry>();
  readonly #absent = new Map<string, number>();
  readonly #underway = new Map<string, Promise<StaticFile | null>>();
  #bytes = 0;

  constructor(clock: Clock, bounds: Partial<ShelfBounds> = {}) {
    this.#clock = clock;
    this.#bounds = { ...DEFAULT_BOUNDS, ...bounds };
  }

  /** Bytes of content held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param now `clock.now()`
   * @returns null: no file is there; undefined: `fetch` must be asked
   */
  peek(path: string, now: number): StaticFile | null | undefined {
    const entry = this.#files.get(path);
    if (entry !== undefined) return now - entry.checkedAt < FRESH_MS ? entry.file : undefined;
    const checkedAt = this.#absent.get(path);
    return checkedAt !== undefined && now - checkedAt < FRESH_MS ? null : undefined;
  }

  /**
   * Looks at the disk, once for all that ask at the same time.
   * @param path of the request, the key
   * @param relative below `folder`, checked by `relativePath`
   */
  fetch(path: string, folder: ServedFolder, relative: string): Promise<StaticFile | null> {
    let look = this.#underway.get(path);
    if (look === undefined) {
      look = this.#look(path, folder, relative).finally(() => this.#underway.delete(path));
      this.#underway.set(path, look);
    }
    return look;
  }

  /** The file has turned out not to be as it lies here. */
  forget(path: string): void {
    const entry = this.#files.get(path);
    if (entry === undefined) return;
    this.#files.delete(path);
    this.#bytes -= entry.file.bytes;
  }

  async #look(path: string, folder: ServedFolder, relative: string): Promise<StaticFile | null> {
    const found = await findNewest(folder.directories, relative);
    const known = this.#files.get(path);
    const file =
      known !== undefined && found !== null && isUnchanged(known.file, found)
        ? known.file
        : await loadFile(found, relative, folder, this.#bounds.smallBytes, this.#clock.wall());
    this.forget(path);
    this.#absent.delete(path);
    if (file === null) this.#keepAbsent(path);
    else this.#keep(path, file);
    return file;
  }

  #keep(path: string, file: StaticFile): void {
    this.#files.set(path, { file, checkedAt: this.#clock.now() });
    this.#bytes += file.bytes;
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#bounds.totalBytes && this.#files.size <= this.#bounds.entries) return;
      this.forget(oldest);
    }
  }

  #keepAbsent(path: string): void {
    if (path.length > LONGEST_ABSENT) return;
    this.#absent.set(path, this.#clock.now());
    for (const oldest of this.#absent.keys()) {
      if (this.#absent.size <= this.#bounds.entries) return;
      this.#absent.delete(oldest);
    }
  }
}

/** The original, and its compressed forms in the order of `CODINGS`. */
interface Forms {
  readonly original: FoundFile;
  readonly coded: readonly (FoundFile | null)[];
}

/** Only what is not there is looked for in an earlier version; its compressed forms are never taken from another version. */
async function findNewest(directories: readonly string[], relative: string): Promise<Forms | null> {
  for (const directory of directories) {
    const found = await findForms(directory, relative);
    if (found !== null) return found;
  }
  return null;
}

async function findForms(directory: string, relative: string): Promise<Forms | null> {
  const original = await findFile(directory, relative);
  if (original === null) return null;
  const coded = await Promise.all(CODINGS.map((coding) => findFile(directory, relative + CODING_SUFFIX[coding])));
  // One that is older than the original is a leftover: it would show yesterday's page to some browsers.
  return { original, coded: coded.map((form) => (form && form.modifiedMs >= original.modifiedMs ? form : null)) };
}

function isUnchanged(file: StaticFile, found: Forms): boolean {
  if (file.original.file.version !== found.original.version) return false;
  return CODINGS.every((coding, i) => {
    const known = file.coded.find((form) => form.coding === coding);
    return known?.file.version === found.coded[i]?.version;
  });
}

async function loadFile(
  found: Forms | null,
  relative: string,
  policy: CachePolicy,
  smallBytes: number,
  now: number,
): Promise<StaticFile | null> {
  if (found === null) return null;
  const varies = found.coded.some((form) => form !== null);
  const load = async (file: FoundFile, coding: Representation['coding']): Promise<Representation> => {
    const body = file.size <= smallBytes ? await readSmall(file, smallBytes) : null;
    return makeRepresentation(file, body, coding, relative, varies, policy, now);
  };
  const original = await load(found.original, '');
  const coded: Representation[] = [];
  for (const [i, coding] of CODINGS.entries()) {
    const form = found.coded[i];
    if (form) coded.push(await load(form, coding));
  }
  const bytes = [original, ...coded].reduce((sum, form) => sum + (form.body?.length ?? 0), 0);
  return { original, coded, bytes };
}
