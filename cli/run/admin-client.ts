// Reads a program's status document over its admin socket. Bounded in time and size; a program that does not answer is
// `undefined`, not an error: it may be starting, or be gone.
import { Agent, get } from 'node:http';
import type { z } from 'zod';

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 4 * 1024 * 1024;

export class AdminClient<T> {
  readonly #socketPath: string;
  readonly #schema: z.ZodType<T>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(socketPath: string, schema: z.ZodType<T>) {
    this.#socketPath = socketPath;
    this.#schema = schema;
  }

  async status(): Promise<T | undefined> {
    const text = await this.#get('/status');
    if (text === undefined) return undefined;
    try {
      return this.#schema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  #get(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = get({ socketPath: this.#socketPath, path, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_BYTES) request.destroy();
        });
        response.on('end', () => resolve(response.statusCode === 200 ? text : undefined));
        response.on('error', () => resolve(undefined));
        response.on('close', () => resolve(undefined));
      });
      request.setTimeout(TIMEOUT_MS, () => request.destroy());
      request.on('error', () => resolve(undefined));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
