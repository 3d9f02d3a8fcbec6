// How the holder is told what to do, from any process of this machine: HTTP over a Unix socket in the cluster's folder.
import { createServer, type IncomingMessage, request, type Server } from 'node:http';

/** What the holder can be asked to do, by name. Arguments and answers are JSON. */
export interface Orders {
  /** Nothing: it answers when it is there. */
  answer(): Promise<void>;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** @param order.archive path as this machine's processes see it */
  loadImages(order: { readonly archive: string }): Promise<void>;
  killContainer(order: ContainerToKill): Promise<void>;
  /** Answers, then ends everything. */
  close(): Promise<void>;
}

export interface ContainerToKill {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP';
}

/** Slowest is loading images, by far. */
const ORDER_TIMEOUT_MS = 5 * 60_000;
const ORDER_BYTES = 64 * 1024;

/** @param path of the socket: whoever may open it may do all */
export function takeOrders(path: string, orders: Orders): Server {
  const server = createServer((incoming, outgoing) => {
    carryOut(orders, incoming).then(
      () => outgoing.end(),
      (error: Error) => outgoing.writeHead(500).end(error.message),
    );
  });
  server.requestTimeout = 0;
  return server.listen(path);
}

async function carryOut(orders: Orders, incoming: IncomingMessage): Promise<void> {
  const name = incoming.url?.slice(1) ?? '';
  if (!Object.hasOwn(orders, name)) throw new Error(`no such order: ${name}`);
  const order: unknown = JSON.parse(await textOf(incoming));
  await (orders[name as keyof Orders] as (order: unknown) => Promise<void>)(order);
}

/** @throws Error with the holder's words when it could not, or when there is none */
export function giveOrder<Name extends keyof Orders>(
  path: string,
  name: Name,
  ...[order]: Parameters<Orders[Name]>
): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, path: `/${name}`, method: 'POST' }, (incoming) => {
      textOf(incoming).then((text) => (incoming.statusCode === 200 ? resolve() : reject(new Error(text))), reject);
    });
    outgoing.on('error', (error) =>
      reject(new Error(`no cluster answers at ${path} (${error.message}): start one with npm run cluster up`)),
    );
    outgoing.setTimeout(ORDER_TIMEOUT_MS, () => outgoing.destroy(new Error(`${name} took 5 minutes`)));
    outgoing.end(JSON.stringify(order ?? null));
  });
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) {
    text += chunk;
    if (text.length > ORDER_BYTES) throw new Error('too long');
  }
  return text;
}
