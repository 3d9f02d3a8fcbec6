// How the proxy shows itself to the API server: as its pod does, or as its flags say.
import { readFileSync } from 'node:fs';
import type { Clock } from '../../../core/clock.ts';
import { inClusterAccess } from '../../../kube/access/in-cluster.ts';
import { KubeError } from '../../../kube/errors.ts';
import type { Access } from '../../../kube/transport.ts';
import type { ApiServer, ToldApiServer } from '../../api-server.ts';

/** Files are read again when what was read is older: whoever renews them does it long before the old ones end. */
const REREAD_MS = 60_000;

/** @throws KubeError CREDENTIALS when the pod's own variables make no address */
export function accessTo(apiServer: ApiServer, clock: Clock): Access {
  return 'url' in apiServer ? toldAccess(apiServer, clock) : inClusterAccess({ ...apiServer, clock });
}

function toldAccess({ url, tokenFile, caFile }: ToldApiServer, clock: Clock): Access {
  const token = tokenFile === undefined ? null : new RenewedFile(tokenFile, parseToken, clock);
  const ca = caFile === undefined ? null : new RenewedFile(caFile, parseCa, clock);
  return {
    server: url,
    headers: () => token?.read() ?? NOBODY,
    tls: () => ca?.read() ?? USUAL,
    refused(refused) {
      if (refused === token?.read()) token.renew();
    },
  };
}

const NOBODY: Readonly<Record<string, string>> = {};
const USUAL: { readonly ca?: string } = {};

/** @returns undefined when it is none: without one the API server would take us for nobody in particular */
function parseToken(text: string): Readonly<Record<string, string>> | undefined {
  const token = text.trim();
  return /^[\x21-\x7e]+$/.test(token) ? { Authorization: `Bearer ${token}` } : undefined;
}

function parseCa(text: string): { readonly ca: string } | undefined {
  return text.includes('-----BEGIN CERTIFICATE-----') ? { ca: text } : undefined;
}

/** What a file says that others replace. While they do, what it said before holds. */
class RenewedFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T | undefined;
  readonly #clock: Clock;
  #text = '';
  #value: T | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, parse: (text: string) => T | undefined, clock: Clock) {
    this.#path = path;
    this.#parse = parse;
    this.#clock = clock;
  }

  /** @returns the same value until the file says something else. @throws KubeError CREDENTIALS when it never said anything */
  read(): T {
    const now = this.#clock.now();
    if (now - this.#readAt >= REREAD_MS) this.#look(now);
    if (this.#value === undefined) throw new KubeError('CREDENTIALS', `${this.#path} holds no token or certificate`);
    return this.#value;
  }

  #look(now: number): void {
    let text = this.#text;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (cause) {
      if (this.#value === undefined) throw new KubeError('CREDENTIALS', `${this.#path} cannot be read`, { cause });
    }
    const value = text === this.#text ? this.#value : this.#parse(text);
    if (value === undefined) return;
    this.#text = text;
    this.#value = value;
    this.#readAt = now;
  }

  /** What was read is not accepted any more. */
  renew(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}
