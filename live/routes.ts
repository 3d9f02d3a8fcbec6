// The live page's routes on an admin port: pages, their files, and the documents behind them as JSON and as a stream. Read-only. What is shown came from
// applications and clients: the page sets it as text, and this says to the browser what else it must not do with it.
import type { Application, NextFunction, Request, Response } from 'express';
import { readAsset } from './assets.ts';
import { EventStream } from './event-stream.ts';
import type { LivePages } from './live-pages.ts';
import { isHere, isOwnHost } from './own-host.ts';
import type { WebAppName } from './source.ts';

export interface RouteOptions {
  /** Host names that lead here besides addresses and localhost: see isOwnHost. */
  readonly hosts?: readonly string[];
  /** Only who comes from this machine is let in; the others are told this. */
  readonly onlyHere?: string;
}

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

/** DNS labels, as Kubernetes names them. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

export function addLiveRoutes(app: Application, pages: LivePages, options: RouteOptions = {}): void {
  const guard = (request: Request, response: Response, next: NextFunction): void => {
    response.set(HEADERS);
    const { hosts, onlyHere } = options;
    if (onlyHere !== undefined && !isHere(request.socket.remoteAddress)) refuse(response, 403, onlyHere);
    else if (isOwnHost(request.headers.host, hosts)) next();
    else refuse(response, 421, 'This page is asked for by its address or as localhost, not by the name in Host.');
  };
  const of = '/:namespace/:name';
  app.get('/', guard, (_request, response) => sendAsset(response, 'list.html'));
  app.get(`/live${of}`, guard, (_request, response) => sendAsset(response, 'webapp.html'));
  app.get('/live.page/*file', guard, (request, response) =>
    sendAsset(response, ([] as string[]).concat(request.params['file'] ?? []).join('/')),
  );
  app.get('/live.json', guard, (_request, response) => {
    response.json(pages.list());
  });
  app.get(`/live.json${of}`, guard, (request, response) => sendOnce(request, response, pages));
  app.get(`/live.events${of}`, guard, (request, response) => listen(request, response, pages));
}

async function sendAsset(response: Response, name: string): Promise<void> {
  const asset = await readAsset(name);
  if (asset === undefined) refuse(response, 404, 'There is no such file.');
  else response.type(asset.type).send(asset.body);
}

async function sendOnce(request: Request, response: Response, pages: LivePages): Promise<void> {
  const name = nameOf(request);
  const view = name && (await pages.once(name, untilClosed(response)));
  if (view) response.json(view);
  else refuse(response, 404, 'There is no such WebApp.');
}

function listen(request: Request, response: Response, pages: LivePages): void {
  const name = request.method === 'GET' ? nameOf(request) : undefined;
  let stream: EventStream | undefined;
  const stop = name && pages.listen(name, (view) => stream?.tell(view));
  if (name === undefined) refuse(response, 404, 'There is no such WebApp.');
  else if (stop === undefined) {
    response.set('Retry-After', '10');
    refuse(response, 503, 'As many pages are open as may be; close one.');
  } else {
    response.once('close', stop);
    stream = new EventStream(response);
  }
}

function nameOf({ params }: Request): WebAppName | undefined {
  const { namespace = '', name = '' } = params as Readonly<Record<string, string>>;
  return LABEL.test(namespace) && NAME.test(name) ? { namespace, name } : undefined;
}

function untilClosed(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

function refuse(response: Response, status: number, text: string): void {
  response.status(status).type('text').send(`${text}\n`);
}
