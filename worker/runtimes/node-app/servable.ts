// What an application's module exports, and how it is served: which export is meant, and what kind of thing it is. No effect
// but `ready()` of a framework that asks for it.
import { Server as NetServer } from 'node:net';
import { serverBefore } from './app-server.ts';
import { type FetchHandler, fetchListener } from './fetch-listener.ts';
import { isHttp } from './listening.ts';
import { createServer, HttpServer } from './node-http.ts';

/** Looked for in this order when no export is named. */
const USUAL_EXPORTS = ['default', 'app', 'server', 'handler', 'application'] as const;

/** An error for people: `message` is what is wrong. */
export class NotServable extends Error {
  readonly mend: string;
  constructor(reason: string, mend: string) {
    super(reason);
    this.mend = mend;
  }
}

/** @returns a server for what `exported` serves by, not listening; null when nothing in it serves */
export async function findServable(exported: unknown): Promise<HttpServer | null> {
  const own = await makeServer(exported);
  if (own !== null) return own;
  for (const name of USUAL_EXPORTS) {
    const server = await makeServer(propertyOf(exported, name));
    if (server !== null) return server;
  }
  return null;
}

/**
 * @param name of an export; with `()` at its end it is called first
 * @throws NotServable
 */
export async function namedServable(exported: unknown, name: string): Promise<HttpServer> {
  const bare = name.replace(/\(\)$/, '');
  const value = exportNamed(exported, bare);
  const server = await makeServer(bare === name ? value : await call(value, bare));
  if (server !== null) return server;
  throw new NotServable(
    `The export "${name}" is ${kindOf(value)}, which cannot serve requests`,
    'Export a (req, res) function such as an Express app, an http.Server, or an object with fetch(Request).',
  );
}

function exportNamed(exported: unknown, name: string): unknown {
  const value = propertyOf(exported, name) ?? propertyOf(propertyOf(exported, 'default'), name);
  if (value !== undefined) return value;
  if (name === 'default' || name === 'module.exports') return exported;
  throw new NotServable(
    `There is no export "${name}"; there is ${listExports(exported)}`,
    `Export ${name}, or name another export in "app".`,
  );
}

async function call(value: unknown, name: string): Promise<unknown> {
  if (typeof value !== 'function') {
    throw new NotServable(`The export "${name}" is ${kindOf(value)}, not a function`, `Write "${name}" without ().`);
  }
  return await value();
}

/** @returns the exports in words, such as `app (an object), PORT (a number)` */
export function listExports(exported: unknown): string {
  // The namespace of a CommonJS module says everything twice.
  const own = propertyOf(exported, 'module.exports') ?? exported;
  if (!isObject(own)) return own === undefined ? 'none' : `module.exports (${kindOf(own)})`;
  const names = Object.keys(own).filter((name) => name !== '__esModule');
  if (names.length === 0) return 'none';
  const shown = names.slice(0, 20).map((name) => `${name} (${kindOf(propertyOf(own, name))})`);
  return shown.join(', ') + (names.length > 20 ? ', …' : '');
}

async function makeServer(value: unknown): Promise<HttpServer | null> {
  if (value instanceof HttpServer) return value;
  if (value instanceof NetServer) return isHttp(value) ? serverBefore(value) : null;
  const fetch = propertyOf(value, 'fetch');
  if (typeof fetch === 'function') return createServer(fetchListener((fetch as FetchHandler).bind(value)));
  if (typeof value === 'function') return isClass(value) ? null : createServer(value as () => void);
  return await frameworkServer(value);
}

/** Frameworks whose application is an object: Koa has `callback()`; Fastify and restify have their `server`. */
async function frameworkServer(value: unknown): Promise<HttpServer | null> {
  const callback = propertyOf(value, 'callback');
  if (typeof callback === 'function' && typeof propertyOf(value, 'use') === 'function') {
    return createServer(Reflect.apply(callback, value, []) as () => void);
  }
  const server = propertyOf(value, 'server');
  if (!(server instanceof HttpServer)) return null;
  const ready = propertyOf(value, 'ready');
  if (typeof ready === 'function') await Reflect.apply(ready, value, []);
  return server;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function propertyOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return isClass(value) ? 'a class' : 'a function';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
