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
  const token = tokenFile === undefined ? null : new WatchedText(tokenFile, clock);
  const ca = caFile === undefined ? null : new WatchedText(caFile, clock);
  let headers: Readonly<Record<string, string>> = {};
  let tls: { readonly ca?: string } = {};
  return {
    server: url,
    headers() {
      const wanted = token === null ? undefined : `Bearer ${token.read().trim()}`;
      if (wanted !== undefined && headers['Authorization'] !== wanted) headers = { Authorization: wanted };
      return headers;
    },
    tls() {
      const wanted = ca?.read();
      if (wanted !== undefined && tls.ca !== wanted) tls = { ca: wanted };
      return tls;
    },
    refused(refused) {
      if (refused === headers) token?.renew();
    },
  };
}

/** The text of a file that others replace; while they do, what was read before holds. */
class WatchedText {
  readonly #path: string;
  readonly #clock: Clock;
  #text: string | null = null;
  #readAt = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** @throws KubeError CREDENTIALS when it could never be read */
  read(): string {
    const now = this.#clock.now();
    if (this.#text !== null && now - this.#readAt < REREAD_MS) return this.#text;
    try {
      this.#text = readFileSync(this.#path, 'utf8');
      this.#readAt = now;
    } catch (cause) {
      if (this.#text === null) throw new KubeError('CREDENTIALS', `${this.#path} cannot be read`, { cause });
    }
    return this.#text;
  }

  /** What was read is not accepted any more. */
  renew(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}
