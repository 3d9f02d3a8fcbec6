// A program's document on disk: read, checked against its schema, and watched for as long as the program runs. A valid change
// is told, an invalid one too, with all its problems; which document is in force is the caller's.
import { type FSWatcher, statSync, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { type Problem, ProblemsError } from '../core/errors.ts';
import { fieldName, showValue } from '../core/problem-words.ts';

export interface ConfigEvents<T> {
  /** A valid document other than the last that was told, or the last valid one again after an invalid one. */
  onChange(document: T): void;
  onInvalid(problems: readonly Problem[]): void;
}

export interface ConfigFile<T> {
  /** As first read. */
  readonly document: T;
  /** Twice is safe. Nothing is told afterwards. */
  close(): void;
}

export interface ConfigTiming {
  /** How long the folder must be quiet before the file is read: a swap is several events. */
  readonly settleMs: number;
  /** How long an invalid file must stay as it is before that is told: an editor may still be writing. */
  readonly suspectMs: number;
  /** For file systems that do not tell of changes, and links that lead out of the folder. */
  readonly pollMs: number;
}

const TIMING: ConfigTiming = { settleMs: 20, suspectMs: 250, pollMs: 5_000 };
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * @throws ProblemsError when the first document cannot be read or is not valid
 */
export async function openConfigFile<T>(
  path: string,
  schema: z.ZodType<T>,
  events: ConfigEvents<T>,
  timing: ConfigTiming = TIMING,
): Promise<ConfigFile<T>> {
  const text = await readText(path);
  const first = parseDocument(text, schema);
  if ('problems' in first) throw new ProblemsError(path, first.problems);
  const watched = new WatchedFile(path, schema, events, timing, text);
  watched.start();
  return { document: first.document, close: () => watched.close() };
}

type Text = { readonly text: string } | { readonly unreadable: Problem };
type Parsed<T> = { readonly document: T } | { readonly problems: readonly Problem[] };

class WatchedFile<T> {
  readonly #path: string;
  readonly #schema: z.ZodType<T>;
  readonly #events: ConfigEvents<T>;
  readonly #timing: ConfigTiming;
  /** What has been told already. */
  #told: string;
  /** Invalid, and not told yet. */
  #suspect = '';
  #watcher: FSWatcher | undefined;
  #watchedFolder = -1;
  #look: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #reading = false;
  #readAgain = false;
  #closed = false;

  constructor(path: string, schema: z.ZodType<T>, events: ConfigEvents<T>, timing: ConfigTiming, first: Text) {
    this.#path = path;
    this.#schema = schema;
    this.#events = events;
    this.#timing = timing;
    this.#told = JSON.stringify(first);
  }

  start(): void {
    this.#watchFolder();
    this.#poll = setInterval(() => {
      this.#watchFolder();
      this.#lookIn(0);
    }, this.#timing.pollMs).unref();
    // What changed between the first read and the watch.
    this.#lookIn(0);
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    clearTimeout(this.#look);
    clearInterval(this.#poll);
  }

  /** The folder, not the file: a file that is replaced is another file. Again when the folder itself has been replaced. */
  #watchFolder(): void {
    const folder = dirname(this.#path);
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino ?? -1;
    if (inode === this.#watchedFolder) return;
    this.#watchedFolder = inode;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (inode === -1) return;
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#lookIn(this.#timing.settleMs));
      this.#watcher.on('error', () => {
        this.#watchedFolder = -1;
      });
    } catch {
      // No watch to be had (inotify's limits): the poll sees it.
    }
  }

  #lookIn(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#look);
    this.#look = setTimeout(() => void this.#lookNow(), ms).unref();
  }

  /** One read at a time; what is asked for meanwhile comes after. */
  async #lookNow(): Promise<void> {
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = true;
    const text = await readText(this.#path);
    this.#reading = false;
    if (this.#closed) return;
    this.#judge(text);
    if (this.#readAgain) {
      this.#readAgain = false;
      this.#lookIn(this.#timing.settleMs);
    }
  }

  #judge(text: Text): void {
    const content = JSON.stringify(text);
    if (content === this.#told) {
      this.#suspect = '';
      return;
    }
    const parsed = parseDocument(text, this.#schema);
    if ('problems' in parsed && content !== this.#suspect) {
      this.#suspect = content;
      this.#lookIn(this.#timing.suspectMs);
      return;
    }
    this.#told = content;
    this.#suspect = '';
    if ('problems' in parsed) this.#events.onInvalid(parsed.problems);
    else this.#events.onChange(parsed.document);
  }
}

async function readText(path: string): Promise<Text> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > MAX_BYTES)
      return { unreadable: { ...UNREADABLE, value: path, message: `is larger than ${MAX_BYTES} bytes` } };
    return { text: await file.readFile('utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { unreadable: { ...UNREADABLE, value: path, message: code === 'ENOENT' ? 'is not there' : message } };
  }
}

const UNREADABLE = { field: '(file)', mend: 'give the path of a JSON file that this user may read' };

function parseDocument<T>(read: Text, schema: z.ZodType<T>): Parsed<T> {
  if ('unreadable' in read) return { problems: [read.unreadable] };
  let json: unknown;
  try {
    json = JSON.parse(read.text);
  } catch (error) {
    const message = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    return { problems: [{ field: '(document)', message, mend: 'write one JSON object' }] };
  }
  const parsed = schema.safeParse(json, { reportInput: true });
  return parsed.success ? { document: parsed.data } : { problems: parsed.error.issues.flatMap(issueProblems) };
}

function issueProblems(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldName([...issue.path, key]),
      message: 'there is no such field',
      mend: 'remove it, or run a program of the version that knows it',
    }));
  }
  const missing = issue.input === undefined;
  const field = fieldName(issue.path);
  return [
    {
      field,
      ...(!missing && { value: showValue(issue.input) }),
      message: missing ? 'is required' : issue.message,
      mend: missing ? `add ${field}` : 'write a value that the message allows',
    },
  ];
}
