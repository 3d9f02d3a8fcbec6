// Files of the static folders, before the application is asked. A path where no file of ours is goes on to the application, as
// with nginx's try_files: it may have a page there. So do folders: nothing is listed and no index is guessed.
import type { Clock } from '../../core/clock.ts';
import type { Exchange, Handler } from '../../http/exchange.ts';
import { pickRepresentation, planAnswer, readFileRequest } from '../files/answer.ts';
import { streamFile } from '../files/file-stream.ts';
import { byLength, pathOf, pickFolder, relativePath } from '../files/path.ts';
import type { Answer, Representation, StaticFile } from '../files/representation.ts';
import { type ServedFolder, Shelf } from '../files/shelf.ts';
import type { Middleware } from '../pipeline.ts';

export interface StaticOptions {
  readonly folders: readonly ServedFolder[];
  readonly clock: Clock;
  /** A file was the answer, whatever its status. */
  readonly onServed: () => void;
  /** The disk, not the request, is at fault; the client gets 500. */
  readonly onError: (error: unknown, path: string) => void;
}

/** Looks at the disk for one request before its file counts as changing too fast to be served. */
const MOST_LOOKS = 3;

export function staticFiles(options: StaticOptions): Middleware {
  if (options.folders.length === 0) return (next) => next;
  return (next) => {
    const server = new StaticServer(options, next);
    return (exchange) => server.handle(exchange, 1);
  };
}

class StaticServer {
  readonly #options: StaticOptions;
  readonly #folders: readonly ServedFolder[];
  readonly #shelf: Shelf;
  readonly #next: Handler;

  constructor(options: StaticOptions, next: Handler) {
    this.#options = options;
    this.#folders = byLength(options.folders);
    this.#shelf = new Shelf(options.clock);
    this.#next = next;
  }

  /** @param looks counts from 1 */
  handle(exchange: Exchange, looks: number): void {
    const folder = pickFolder(this.#folders, exchange.target);
    if (folder === undefined) this.#next(exchange);
    else this.#find(exchange, folder, looks);
  }

  #find(exchange: Exchange, folder: ServedFolder, looks: number): void {
    const path = pathOf(exchange.target);
    const file = this.#shelf.peek(path, exchange.startedAt);
    const relative = file === undefined ? relativePath(path, folder.path) : null;
    if (file) this.#serve(exchange, path, file, looks);
    else if (relative === null) this.#next(exchange);
    else {
      this.#shelf.fetch(path, folder, relative).then(
        (fetched) => this.#take(exchange, path, fetched, looks),
        (error: unknown) => this.#fail(exchange, path, error),
      );
    }
  }

  #take(exchange: Exchange, path: string, file: StaticFile | null, looks: number): void {
    if (exchange.state !== 'open') return;
    if (file === null) this.#next(exchange);
    else this.#serve(exchange, path, file, looks);
  }

  #serve(exchange: Exchange, path: string, file: StaticFile, looks: number): void {
    const { method } = exchange;
    if (method !== 'GET' && method !== 'HEAD') {
      this.#refuseMethod(exchange);
      return;
    }
    const request = readFileRequest(exchange.headers);
    const form = pickRepresentation(file, request.acceptEncoding);
    const answer = planAnswer(method, request, form, this.#options.clock.wall());
    const headers = [...answer.headers, 'X-Request-Id', exchange.requestId];
    if (method === 'HEAD' || answer.first === answer.end) this.#respond(exchange, answer.status, headers, undefined);
    else if (form.body) this.#respond(exchange, answer.status, headers, bytesOf(form.body, answer));
    else this.#stream(exchange, path, form, answer, headers, looks);
  }

  #respond(exchange: Exchange, status: number, headers: string[], body: Buffer | undefined): void {
    exchange.respond(status, headers, body);
    this.#options.onServed();
  }

  #stream(
    exchange: Exchange,
    path: string,
    form: Representation,
    answer: Answer,
    headers: string[],
    looks: number,
  ): void {
    streamFile(exchange, form, answer, headers, {
      onStarted: this.#options.onServed,
      onChanged: (error) => {
        this.#shelf.forget(path);
        if (looks < MOST_LOOKS) this.handle(exchange, looks + 1);
        else this.#fail(exchange, path, error ?? new Error('the file changes faster than it can be opened'));
      },
    });
  }

  /** RFC 9110 §15.5.6. */
  #refuseMethod(exchange: Exchange): void {
    const headers = ['Allow', 'GET, HEAD', 'Content-Type', 'text/plain; charset=utf-8'];
    exchange.respond(405, [...headers, 'X-Request-Id', exchange.requestId], 'This is a file: only GET and HEAD.\n');
    this.#options.onServed();
  }

  #fail(exchange: Exchange, path: string, error: unknown): void {
    this.#options.onError(error, path);
    exchange.fail('INTERNAL');
  }
}

function bytesOf(body: Buffer, answer: Answer): Buffer {
  return answer.end - answer.first === body.length ? body : body.subarray(answer.first, answer.end);
}
