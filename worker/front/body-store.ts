// Where request bodies wait for a process: memory, then files in the run directory. One store for all requests, so that the
// sum is bounded whatever the clients do: beyond the memory budget bodies go to files at once, beyond the files' budget they
// are refused (507).
import { randomBytes } from 'node:crypto';
import { createWriteStream, unlink, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { WorkerConfig } from '../../core/config/worker.ts';
import type { IncomingRequest } from './request.ts';

/** All bodies held in memory at a time. */
const MEMORY_BUDGET_BYTES = 64 * 1024 * 1024;
/** All bodies held in files at a time: so much, or four of the largest allowed. */
const FILE_BUDGET_BYTES = 1024 * 1024 * 1024;
const FILE_BUDGET_BODIES = 4;
const MAX_FILES = 1024;
/** A body's bytes between the client and the disk; then the client waits. */
const WRITE_AHEAD_BYTES = 256 * 1024;

type Limits = Pick<WorkerConfig['limits'], 'bodyBytes' | 'bodyMemoryBytes'>;

export class BodyStore {
  /** Not the pid alone: in a container every program has the same, and a file left by the one before must not be met. */
  private readonly prefix: string;
  private limits: Limits;
  private memoryBytes = 0;
  private fileBytes = 0;
  private files = 0;
  private named = 0;

  constructor(directory: string, limits: Limits) {
    this.prefix = join(directory, `body-${randomBytes(6).toString('hex')}-`);
    this.limits = limits;
  }

  configure(limits: Limits): void {
    this.limits = limits;
  }

  /** @returns whether one body of `had` bytes may grow by `more` in memory; they are accounted for then */
  takeMemory(had: number, more: number): boolean {
    if (had + more > this.limits.bodyMemoryBytes || this.memoryBytes + more > MEMORY_BUDGET_BYTES) return false;
    this.memoryBytes += more;
    return true;
  }

  giveMemory(bytes: number): void {
    this.memoryBytes -= bytes;
  }

  /** @returns a new file that only this user may read, or null when there are too many. `giveFile` must follow once. */
  takeFile(): WriteStream | null {
    if (this.files >= MAX_FILES) return null;
    this.files++;
    return createWriteStream(`${this.prefix}${++this.named}`, {
      flags: 'wx',
      mode: 0o600,
      highWaterMark: WRITE_AHEAD_BYTES,
    });
  }

  /** @returns whether all files together may grow by `bytes`; they are accounted for then */
  takeFileBytes(bytes: number): boolean {
    const budget = Math.max(FILE_BUDGET_BYTES, FILE_BUDGET_BODIES * this.limits.bodyBytes);
    if (this.fileBytes + bytes > budget) return false;
    this.fileBytes += bytes;
    return true;
  }

  /** Removes the file; its space is accounted for until it is gone. */
  giveFile(path: string, bytes: number): void {
    unlink(path, () => {
      this.files--;
      this.fileBytes -= bytes;
    });
  }

  /** Gives back what the body of a request took, after its process has done with it. Twice is safe. */
  free(request: IncomingRequest): void {
    if (request.body !== null) {
      this.giveMemory(request.bodyBytes);
      request.body = null;
    }
    if (request.bodyFile !== null) {
      this.giveFile(request.bodyFile, request.bodyBytes);
      request.bodyFile = null;
    }
  }

  /** What is held now. */
  get held(): { memoryBytes: number; fileBytes: number; files: number } {
    return { memoryBytes: this.memoryBytes, fileBytes: this.fileBytes, files: this.files };
  }
}
