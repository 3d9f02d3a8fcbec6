// node:http, by another door than `import`: that one asks the module for all that it exports, and its WebSocket brings Node's
// whole fetch along, 5 MB in each process of the application.
import type { Server } from 'node:http';

const http = process.getBuiltinModule('node:http');

export const createServer = http.createServer;
export const HttpServer = http.Server;
export type HttpServer = Server;
