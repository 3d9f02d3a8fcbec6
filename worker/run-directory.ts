// The private folder of one worker: sockets of its processes and request bodies. Removed at the end; what a killed worker left
// is swept by the next that starts. Whether its owner lives is asked of a socket in it, not of a pid in its name: several
// containers may share the folder above, each with its own pids, and a lock would need a native module.
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

export interface RunDirectory {
  /** Absolute, mode 0700. */
  readonly path: string;
  /** Removes it. Twice is safe. */
  close(): void;
}

const PREFIX = 'webapp-worker-';
const ALIVE = 'alive';
/** Sockets below have names of at most so many bytes; sun_path holds 107 (unix(7)). */
const ROOM_FOR_NAMES = 48;
const MAX_SWEPT = 64;
/** A folder whose socket does not answer may be one that is being made. */
const LEAST_AGE_MS = 5_000;

/**
 * @param parents folders to make it in, the first that serves: it can be written and its path is short enough
 * @throws Error when none does, with what each said
 */
export async function openRunDirectory(parents: readonly string[]): Promise<RunDirectory> {
  const said: string[] = [];
  for (const parent of parents) {
    try {
      return await openIn(parent);
    } catch (error) {
      said.push(`${parent}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(`No private folder can be made for sockets and request bodies. ${said.join('; ')}`);
}

async function openIn(parent: string): Promise<RunDirectory> {
  if (Buffer.byteLength(parent) + PREFIX.length + 6 + ROOM_FOR_NAMES > 107) throw new Error('its path is too long');
  await sweep(parent);
  const path = mkdtempSync(join(parent, PREFIX));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const alive = await listen(join(path, ALIVE)).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    path,
    close: () => {
      alive.close();
      remove();
    },
  };
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });
}

/** Removes what dead workers of this user left in `parent`. */
async function sweep(parent: string): Promise<void> {
  const names = readdirSync(parent).filter((name) => name.startsWith(PREFIX));
  for (const name of names.slice(0, MAX_SWEPT)) {
    const path = join(parent, name);
    if (isOwnFolder(path) && (await isDead(path))) rmSync(path, { recursive: true, force: true });
  }
}

function isOwnFolder(path: string): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isDirectory() && stat.uid === process.getuid?.();
  } catch {
    return false;
  }
}

async function isDead(path: string): Promise<boolean> {
  const code = await connectError(join(path, ALIVE));
  const changedAt = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changedAt === undefined || Date.now() - changedAt < LEAST_AGE_MS) return false;
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}

/** @returns the error's code; null when it connected */
function connectError(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'UNKNOWN'));
  });
}
