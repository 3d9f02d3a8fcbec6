// The admin port of a program: health, readiness, status and metrics, on an address of its own. Small on purpose, and never in
// the way: express is loaded behind the open port, because loading it would delay the program's first answer.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Application, Request, Response } from 'express';
import type { Registry } from 'prom-client';
import type { ListenAddress } from './address.ts';
import { bindServer } from './bind.ts';
import { expose } from './exposition.ts';
import { PatientQuestions } from './patient-questions.ts';

export interface AdminSources {
  /** Why the program should be started anew; null: it need not. Default: it lives when it answers. */
  readonly healthy?: () => string | null;
  /** Why the program takes no requests now; null: it does. */
  readonly ready: () => string | null;
  /** The status document; must be JSON. */
  readonly status: () => unknown;
  /**
   * Another text when the status tells something that a person would want to know at once. With it, `/status?unlike=NEWS&waitMs=N` is answered when the news
   * are unlike those, or after so long.
   */
  readonly news?: () => string;
  readonly metrics: Registry;
  /** Adds what else is to be had here, before what is not is refused. Only GET and HEAD come to it. */
  readonly routes?: (app: Application) => void;
}

export interface Admin {
  readonly address: ListenAddress;
  /** Cuts what is there. Twice is safe. */
  close(): Promise<void>;
}

type App = (request: IncomingMessage, response: ServerResponse) => void;

/** @throws AddressError */
export async function openAdmin(address: ListenAddress, sources: AdminSources): Promise<Admin> {
  let app: Promise<App> | undefined;
  const server = makeServer(async (request, response) => {
    app ??= loadApp(sources);
    (await app)(request, response);
  });
  const bound = await bindServer(server, address);
  // Ready before the first probe, without holding up whoever opens the port.
  setImmediate(() => {
    app ??= loadApp(sources);
  });
  return { address: bound, close: () => closeServer(server) };
}

function makeServer(onRequest: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  const server = createServer(
    {
      httpValidation: 'strict',
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      onRequest(request, response).catch((error: unknown) => response.destroy(error as Error));
    },
  );
  server.maxConnections = 256;
  return server;
}

async function loadApp({ healthy, ready, status, news, metrics, routes }: AdminSources): Promise<App> {
  const { default: express } = await import('express');
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (request.method === 'GET' || request.method === 'HEAD') next();
    else response.status(405).set('Allow', 'GET, HEAD').type('text').send('Only GET and HEAD.\n');
  });
  app.get('/healthz', (_request: Request, response: Response) => tell(response, healthy?.() ?? null, 'ok'));
  app.get('/readyz', (_request: Request, response: Response) => tell(response, ready(), 'ready'));
  const questions = news && new PatientQuestions(news);
  app.get('/status', async ({ query }: Request, response: Response) => {
    await questions?.hold(response, String(query['unlike']), Number(query['waitMs']));
    response.json(status());
  });
  app.get('/metrics', async (request: Request, response: Response) => {
    const { contentType, body } = await expose(metrics, request.get('accept') ?? '');
    response.vary('Accept').type(contentType).send(body);
  });
  routes?.(app);
  app.use((_request: Request, response: Response) => {
    response.status(404).type('text').send('Here are /healthz, /readyz, /status and /metrics.\n');
  });
  // Express knows an error handler by its four parameters.
  app.use((error: Error, _request: Request, response: Response, _next: () => void) => {
    response.status(500).type('text').send(`${error.message}\n`);
  });
  return app as unknown as App;
}

function tell(response: Response, wrong: string | null, right: string): void {
  response
    .status(wrong === null ? 200 : 503)
    .type('text')
    .send(`${wrong ?? right}\n`);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
