// The connections to one API server: one agent as long as CA and client certificate stay, a new one when they change.
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Log } from '../../core/log.ts';
import { KubeError } from '../errors.ts';
import type { Access } from '../transport.ts';

/** As client-go: an idle connection goes after 90 s, a silent one is probed by TCP every 30 s. */
const IDLE_MS = 90_000;
const PROBE_MS = 30_000;

export class Pool {
  readonly #access: Access;
  readonly #connections: number;
  readonly #log: Log;
  readonly #isPlain: boolean;
  #agent: HttpAgent | undefined;
  #madeFor: unknown;
  /** Agents of earlier certificates whose last calls are not over. */
  readonly #retired = new Set<HttpAgent>();

  /** @param connections at most at a time; calls beyond wait in order */
  constructor(access: Access, connections: number, log: Log) {
    this.#access = access;
    this.#log = log;
    this.#connections = connections;
    this.#isPlain = access.server.protocol === 'http:';
  }

  /** @throws KubeError CREDENTIALS */
  request(options: RequestOptions): ClientRequest {
    const agent = this.#current();
    return this.#isPlain ? httpRequest({ ...options, agent }) : httpsRequest({ ...options, agent });
  }

  /** Ends what is idle: when one kept connection turned out dead, the others most likely are too. */
  dropIdle(): void {
    if (this.#agent !== undefined) dropIdle(this.#agent);
  }

  /** Ends all, in use or not. Twice is safe. */
  close(): void {
    if (this.#agent !== undefined) this.#retired.add(this.#agent);
    for (const agent of this.#retired) {
      // Node makes connections for calls that waited for their turn even when these are gone: none of them is to be kept.
      agent.maxFreeSockets = 0;
      agent.destroy();
    }
    this.#agent = undefined;
    this.#retired.clear();
  }

  #current(): HttpAgent {
    const tls = this.#access.tls();
    if (this.#agent !== undefined && tls === this.#madeFor) return this.#agent;
    const fresh = this.#make(tls);
    if (this.#agent !== undefined) this.#retire(this.#agent);
    this.#agent = fresh;
    this.#madeFor = tls;
    return fresh;
  }

  /** Calls in flight end as they began; their connections are not kept. */
  #retire(agent: HttpAgent): void {
    for (const old of this.#retired) if (Object.keys(old.sockets).length === 0) this.#retired.delete(old);
    this.#log.info('CA or client certificate changed: new connections to the API server', {
      server: this.#access.server.origin,
    });
    agent.maxFreeSockets = 0;
    dropIdle(agent);
    this.#retired.add(agent);
  }

  /**
   * The secure context is made once: given CA and keys instead, Node parses them for each connection and joins their text into the
   * agent's key for each request.
   */
  #make(tls: ReturnType<Access['tls']>): HttpAgent {
    const settings = { keepAlive: true, keepAliveMsecs: PROBE_MS, maxSockets: this.#connections, timeout: IDLE_MS };
    if (this.#isPlain) return new HttpAgent(settings);
    const { servername, rejectUnauthorized = true, ...context } = tls;
    const named = servername === undefined ? {} : { servername };
    try {
      return new HttpsAgent({ ...settings, ...named, rejectUnauthorized, secureContext: createSecureContext(context) });
    } catch (cause) {
      throw new KubeError('CREDENTIALS', `the CA or client certificate cannot be used: ${String(cause)}`, { cause });
    }
  }
}

function dropIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
