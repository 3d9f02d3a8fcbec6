// The application's own `listen(3000)`. The public socket is the front's, so the first HTTP server that listens is put onto
// our Unix socket instead, and sees what it would have seen: its callback, 'listening', `address()` with the port it asked for.
// Only one: what listens after it (a metrics port, gRPC) has its own reason and is left alone.
import { type ListenOptions, Server as NetServer } from 'node:net';
import { HttpServer } from './node-http.ts';

/** All slots may connect while the event loop is busy. The kernel's own bound cuts it. */
const BACKLOG = 4096;

export interface ListenCapture {
  /** The server that was captured, or null. */
  readonly server: NetServer | null;
  /** Where it listens. */
  readonly path: string;
  /** `listen` as Node has it. */
  listen(server: NetServer, path: string): void;
}

/**
 * Begins to capture, for the life of the process.
 * @param path where the captured server listens instead
 * @param onCapture called within the application's `listen`, before the server listens
 */
export function captureListen(path: string, onCapture: (server: NetServer) => void): ListenCapture {
  const original = NetServer.prototype.listen;
  const capture = {
    server: null as NetServer | null,
    path,
    listen: (server: NetServer, path: string) => void Reflect.apply(original, server, [{ path, backlog: BACKLOG }]),
  };
  NetServer.prototype.listen = function listen(this: NetServer, ...args: unknown[]): NetServer {
    if (capture.server === null && isHttp(this)) {
      capture.server = this;
      onCapture(this);
    } else if (capture.server !== this) {
      return Reflect.apply(original, this, args);
    }
    const asked = readListenArguments(args);
    pretendAddress(this, asked);
    return Reflect.apply(original, this, [{ path, backlog: BACKLOG, signal: asked.signal }, asked.callback]);
  };
  return capture;
}

/**
 * Whoever answers 'request' is one: http, and https and HTTP/2 servers too. Not asked by their classes, since node:tls is not to
 * be loaded where the application does not load it: 1.7 MB.
 */
export function isHttp(server: NetServer): boolean {
  return server instanceof HttpServer || server.listenerCount('request') > 0;
}

interface Asked {
  readonly port: number;
  readonly host: string;
  /** Present when a Unix socket was asked for. */
  readonly path: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly callback: (() => void) | undefined;
}

/** net.Server.listen: (options), (path), (port, host, backlog), each with a callback at its end; all of it may be absent. */
function readListenArguments(args: readonly unknown[]): Asked {
  const first = args[0];
  const options: ListenOptions = typeof first === 'object' && first !== null ? first : {};
  const last = args.at(-1);
  const port = options.port ?? first;
  const isPath = typeof port === 'string' && !/^\d+$/.test(port);
  return {
    port: isPath ? 0 : Number(port) || 0,
    host: options.host ?? (typeof args[1] === 'string' ? args[1] : '::'),
    path: options.path ?? (isPath ? port : undefined),
    signal: options.signal,
    callback: typeof last === 'function' ? (last as () => void) : undefined,
  };
}

/** For the line "listening on port …" that applications print from `address()`. */
function pretendAddress(server: NetServer, asked: Asked): void {
  const port = asked.port || Number(process.env['PORT']) || 0;
  const family = asked.host.includes(':') ? 'IPv6' : 'IPv4';
  const address = asked.path ?? { address: asked.host, family, port };
  server.address = () => (server.listening ? address : null);
}
