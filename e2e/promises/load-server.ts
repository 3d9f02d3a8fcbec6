// Runs in a pod of the cluster: makes loads that the test asks for, through the API server, and reports them. So requests go the way of a
// user inside the cluster: name, Service, proxy; and go on when the API server is away. load-pod.ts is the other side.
import { createServer, type IncomingMessage } from 'node:http';
import { type Load, type LoadOptions, type LoadReport, startLoad } from '../load.ts';
import { type SocketLoadOptions, startSocketLoad } from './socket-load.ts';

export type LoadRequest =
  | ({ readonly kind: 'http' } & LoadOptions)
  | ({ readonly kind: 'websocket' } & SocketLoadOptions);

export interface Progress extends LoadReport {
  /** Stopped, and every answer is there. */
  readonly done: boolean;
}

/** One request, to look at its answer. */
export interface Visit {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a body that is sent. */
  readonly bodyBytes?: number;
}

export interface VisitAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const VISIT_TIMEOUT_MS = 20_000;
const VISIT_TEXT = 100_000;
const PORT = 8080;

const loads = new Map<string, { load: Load; done: boolean }>();

function start(request: LoadRequest): { id: string } {
  const id = String(loads.size + 1);
  loads.set(id, { load: request.kind === 'http' ? startLoad(request) : startSocketLoad(request), done: false });
  return { id };
}

function progress(id: string): Progress {
  const found = loads.get(id);
  if (found === undefined) throw new Error(`there is no load ${id}`);
  return { ...found.load.report, done: found.done };
}

/** Does not wait for the answers that are still to come: `report` says when they have. */
function stop(id: string): Progress {
  const found = loads.get(id);
  if (found) void found.load.stop().then(() => (found.done = true));
  return progress(id);
}

async function visit({ url, method = 'GET', headers = {}, bodyBytes }: Visit): Promise<VisitAnswer> {
  const body = bodyBytes === undefined ? null : new Uint8Array(bodyBytes);
  const signal = AbortSignal.timeout(VISIT_TIMEOUT_MS);
  const answer = await fetch(url, { method, headers: { ...headers }, body, redirect: 'manual', signal });
  const text = (await answer.text()).slice(0, VISIT_TEXT);
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text };
}

async function answer(incoming: IncomingMessage): Promise<unknown> {
  const [, what, id = ''] = (incoming.url ?? '').split('/');
  const text = (await incoming.toArray()).map(String).join('');
  switch (what) {
    case 'start':
      return start(JSON.parse(text) as LoadRequest);
    case 'report':
      return progress(id);
    case 'stop':
      return stop(id);
    case 'visit':
      return visit(JSON.parse(text) as Visit);
    default:
      return { loads: loads.size };
  }
}

const server = createServer((incoming, outgoing) => {
  answer(incoming).then(
    (found) => outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found)),
    (error: Error) => outgoing.writeHead(500).end(`${error.message} ${String(error.cause ?? '')}`),
  );
});
server.listen(PORT);
process.on('SIGTERM', () => process.exit(0));
