// How other `webapp` commands of the same user reach a running `webapp up`: HTTP on a Unix socket in its private run folder, which nobody else may enter. It tells
// what runs here as the live page does, replays and follows logs, and takes two orders: another process count, and a restart.
import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { bindServer } from '../../http/bind.ts';
import type { LivePages } from '../../live/live-pages.ts';
import manifest from '../../package.json' with { type: 'json' };
import { Failure } from '../failure.ts';
import {
  type AskedLogs,
  CONTROL_SOCKET,
  type ControlAnswer,
  type RunDocument,
  readAskedLogs,
} from './control-words.ts';
import { isWanted, type LogEntry } from './log-book.ts';
import type { Session } from './session.ts';

export interface ControlOptions {
  readonly folder: string;
  readonly cwd: string;
  readonly session: Session;
  readonly pages: LivePages;
  /** With --reload there is one process. */
  readonly reload: boolean;
}

const MAX_CONNECTIONS = 32;
const MAX_BODY = 4 * 1024;
/** What a reader of logs may lag behind, in bytes, before lines are left out for it. */
const MAX_LAG = 1024 * 1024;
const STATUS: Readonly<Record<string, number>> = { UNKNOWN_NAME: 404, USAGE: 400 };

/** @returns close. @throws AddressError */
export async function openControl(options: ControlOptions): Promise<() => void> {
  const path = join(options.folder, CONTROL_SOCKET);
  const server = createServer({ maxHeaderSize: 8 * 1024, requestTimeout: 10_000 }, (request, response) => {
    answer(options, request, response).catch((error: unknown) => refuse(response, error));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await bindServer(server, { path });
  chmodSync(path, 0o600);
  return () => close(server);
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

async function answer(options: ControlOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control');
  const route = `${request.method} ${pathname}`;
  if (route === 'GET /run') return tell(response, await runDocument(options, searchParams.get('name')));
  if (route === 'GET /logs') return sendLogs(options, readAskedLogs(searchParams), response);
  if (route === 'POST /resize') return tell(response, await resize(options, await bodyOf(request)));
  if (route === 'POST /restart') return tell(response, restart(options, await bodyOf(request)));
  throw new Failure('USAGE', `webapp up ${manifest.version} does not know ${route}`);
}

/** @param name undefined: all */
async function runDocument({ session, pages, cwd }: ControlOptions, name: string | null): Promise<RunDocument> {
  const stacks = session.stacks.filter((stack) => name === null || stack.name === name);
  const views = await Promise.all(
    stacks.map(({ name: one, namespace }) => pages.once({ namespace, name: one }, AbortSignal.timeout(10_000))),
  );
  return {
    kind: 'WebAppRun',
    program: manifest.version,
    pid: process.pid,
    cwd,
    names: session.stacks.map((stack) => stack.name),
    webApps: views.flatMap((view) => (view ? { picture: view.picture, sample: view.samples.at(-1) ?? null } : [])),
  };
}

function sendLogs({ session }: ControlOptions, asked: AskedLogs, response: ServerResponse): void {
  const book = session.logOf(asked.name);
  if (!book) throw unknown(asked.name);
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const send = (entry: LogEntry): void => void response.write(`${JSON.stringify(entry)}\n`);
  for (const entry of book.last(asked)) send(entry);
  if (!asked.follow) {
    response.end();
    return;
  }
  response.flushHeaders();
  let left = 0;
  const stop = book.follow((entry) => {
    if (!isWanted(entry, asked)) return;
    if (response.writableLength > MAX_LAG) left++;
    else {
      if (left > 0) send({ ...entry, text: `(${left} lines were left out: they came faster than they were read)` });
      left = 0;
      send(entry);
    }
  });
  response.on('close', stop);
}

async function resize(options: ControlOptions, body: Readonly<Record<string, unknown>>): Promise<ControlAnswer> {
  const { name, processes } = body;
  if (typeof processes !== 'number' || !Number.isInteger(processes) || processes < 1 || processes > 256)
    throw new Failure('USAGE', 'processes is not a number from 1 to 256');
  if (options.reload)
    throw new Failure('REFUSED', 'with --reload there is one process', 'run webapp up without --reload');
  const applied = await options.session.resize(String(name), processes);
  if (!applied) throw unknown(String(name));
  if (applied.refused) throw new Failure('REFUSED', `not applied: ${applied.refused.message}`);
  return { changes: applied.changes };
}

function restart({ session }: ControlOptions, { name }: Readonly<Record<string, unknown>>): ControlAnswer {
  if (!session.restart(String(name))) throw unknown(String(name));
  return { changes: [] };
}

const unknown = (name: string): Failure => new Failure('UNKNOWN_NAME', `no WebApp ${name} runs here`);

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY) throw new Failure('USAGE', 'the order is too long');
  }
  const body: unknown = JSON.parse(text);
  if (typeof body !== 'object' || body === null) throw new Failure('USAGE', 'the order is no object');
  return body as Record<string, unknown>;
}

function tell(response: ServerResponse, document: object, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(document)}\n`);
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const failure = error instanceof Failure ? error : new Failure('USAGE', (error as Error).message);
  const { code, message, mend } = failure;
  tell(response, { error: { code, message, mend } }, STATUS[code] ?? 409);
}
