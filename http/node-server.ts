// Node's HTTP server as the front door uses it: its parser and its streams. Deadlines, Host, Expect, keep-alive and limits are
// the door's own, so every option is stated.
import { createServer, type Server } from 'node:http';
import { DoorRequest } from './node-request.ts';

export type NodeServer = Server<typeof DoorRequest>;

/** @param takesUpgrade asked for each request with Upgrade; false: it is a request like any other */
export function makeNodeServer(headBytes: number, takesUpgrade: (request: DoorRequest) => boolean): NodeServer {
  const server = createServer({
    IncomingMessage: DoorRequest,
    shouldUpgradeCallback: takesUpgrade,
    httpValidation: 'strict',
    maxHeaderSize: headBytes,
    // A request without a body never touches the stream machinery.
    optimizeEmptyRequests: true,
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    rejectNonStandardBodyWrites: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    highWaterMark: 64 * 1024,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    keepAliveTimeoutBuffer: 0,
    connectionsCheckingInterval: 2 ** 31 - 1,
  });
  server.timeout = 0;
  server.maxRequestsPerSocket = 0;
  // 0: none is dropped in silence. The door counts them.
  server.maxHeadersCount = 0;
  return server;
}
