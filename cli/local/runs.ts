// The `webapp up` that run now, as other commands of the same user find them: by the sockets in their private run folders. Whoever else may write into the temp folder
// cannot pass for one: the folder must be ours, and nobody else's to enter.
import { lstatSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { Failure } from '../failure.ts';
import { type AskedLogs, askLogs, CONTROL_SOCKET, type ControlAnswer, type RunDocument } from '../run/control-words.ts';
import { LineSplitter } from '../run/line-splitter.ts';
import type { LogEntry } from '../run/log-book.ts';
import { runFolders } from '../run/run-folder.ts';

export interface Run {
  readonly pid: number;
  readonly socketPath: string;
}

const MAX_ANSWER = 64 * 1024 * 1024;
const ANSWER_MS = 30_000;

/** @returns those whose process lives, in the order of their pids */
export function findRuns(): Run[] {
  return runFolders()
    .filter(({ path }) => isOurs(path))
    .map(({ pid, path }) => ({ pid, socketPath: join(path, CONTROL_SOCKET) }))
    .filter(({ socketPath }) => isSocket(socketPath))
    .toSorted((a, b) => a.pid - b.pid);
}

/** mkdtemp makes it for its owner alone. */
function isOurs(folder: string): boolean {
  try {
    const { uid, mode } = lstatSync(folder);
    return uid === process.getuid?.() && (mode & 0o077) === 0 && lstatSync(folder).isDirectory();
  } catch {
    return false;
  }
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

/** @param name of one WebApp; undefined: all. @throws Failure NOT_RUNNING when it has ended meanwhile or is of another version */
export async function askRun(run: Run, name?: string): Promise<RunDocument> {
  const query = name === undefined ? '' : `?${new URLSearchParams({ name })}`;
  const document = (await ask(run, 'GET', `/run${query}`)) as Partial<RunDocument>;
  if (document.kind === 'WebAppRun' && document.program === manifest.version) return document as RunDocument;
  const other = `webapp up (process ${run.pid}) is of version ${document.program}, this is ${manifest.version}`;
  throw new Failure('NOT_RUNNING', other, 'use the same, or end it and start it again');
}

/** @throws Failure as the run told, or NOT_RUNNING */
export async function order(run: Run, path: '/resize' | '/restart', body: object): Promise<ControlAnswer> {
  return (await ask(run, 'POST', path, body)) as ControlAnswer;
}

/** Resolves when all is told; when following, when the run has ended or `signal` aborts. @throws Failure as the run told, or NOT_RUNNING */
export function readLogs(
  run: Run,
  asked: AskedLogs,
  onEntry: (entry: LogEntry) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: run.socketPath, path: `/logs?${askLogs(asked)}`, agent: false, signal });
    const end = (error: Error): void => (signal.aborted ? resolve() : reject(gone(run, error)));
    asking.on('error', end);
    asking.on('response', (response) => {
      if (response.statusCode !== 200) {
        textOf(response).then((text) => reject(failureOf(text)), reject);
        return;
      }
      const lines = new LineSplitter((line) => onEntry(JSON.parse(line) as LogEntry));
      response.on('data', (chunk: Buffer) => lines.take(chunk));
      response.on('error', () => resolve()); // it ended
      response.on('end', () => resolve());
    });
    asking.end();
  });
}

function ask(run: Run, method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = AbortSignal.timeout(ANSWER_MS);
    const asking = request({ socketPath: run.socketPath, method, path, agent: false, signal: late });
    asking.on('error', (error) => reject(gone(run, error)));
    asking.on('response', (response) => {
      textOf(response).then(
        (text) => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(failureOf(text))),
        (error: Error) => reject(gone(run, error)),
      );
    });
    asking.end(body && JSON.stringify(body));
  });
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > MAX_ANSWER) throw new Error(`the answer is longer than ${MAX_ANSWER} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function gone({ pid }: Run, { message }: Error): Failure {
  return new Failure(
    'NOT_RUNNING',
    `webapp up (process ${pid}) does not answer: ${message}`,
    'see whether it still runs',
  );
}

function failureOf(text: string): Failure {
  const { error } = JSON.parse(text) as { error: { code: string; message: string; mend: string } };
  return new Failure(error.code === 'UNKNOWN_NAME' ? 'UNKNOWN_NAME' : 'REFUSED', error.message, error.mend);
}
