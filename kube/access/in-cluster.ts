// The way from a pod to its API server: the service account's token and CA, which the kubelet replaces while we run. Loads nothing but Node's own modules
// and core: the proxy comes this way, without the big client.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../core/clock.ts';
import { KubeError } from '../errors.ts';
import type { Access } from '../transport.ts';

export interface InClusterPlace {
  /** KUBERNETES_SERVICE_HOST. */
  readonly host: string | undefined;
  /** KUBERNETES_SERVICE_PORT. */
  readonly port: string | undefined;
  /** Where `token` and `ca.crt` are. Default: where the kubelet mounts them. */
  readonly folder?: string;
  readonly clock?: Clock;
}

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
/** As client-go: the kubelet renews a token long before it ends. */
const REREAD_MS = 60_000;

/** Reads nothing until it is asked for headers. @throws KubeError CREDENTIALS when the place is not that of a pod */
export function inClusterAccess({ host, port, folder = FOLDER, clock = systemClock }: InClusterPlace): Access {
  const server = serverOf(host, port);
  let headers: Readonly<Record<string, string>> | undefined;
  let tls: { readonly ca: string } | undefined;
  let readAt = 0;

  const read = (): void => {
    const token = readToken(join(folder, 'token'));
    const ca = readCertificates(join(folder, 'ca.crt'));
    if (headers?.['Authorization'] !== token) headers = { Authorization: token };
    if (tls?.ca !== ca) tls = { ca };
    readAt = clock.now();
  };
  /** While the kubelet replaces the files, what was read before holds. */
  const refresh = (): void => {
    if (headers !== undefined && clock.now() - readAt < REREAD_MS) return;
    try {
      read();
    } catch (error) {
      if (headers === undefined) throw error;
    }
  };

  return {
    server,
    headers() {
      refresh();
      return headers ?? {};
    },
    tls() {
      refresh();
      return tls ?? {};
    },
    refused(refused) {
      if (refused === headers) readAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function serverOf(host: string | undefined, port: string | undefined): URL {
  if (!host || !port)
    throw new KubeError(
      'CREDENTIALS',
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod; name a kubeconfig file',
    );
  const named = isIPv6(host) ? `[${host}]` : host;
  try {
    return new URL(`https://${named}:${port}`);
  } catch (cause) {
    throw new KubeError('CREDENTIALS', `KUBERNETES_SERVICE_HOST and _PORT make no address: ${host}, ${port}`, {
      cause,
    });
  }
}

function readToken(path: string): string {
  const token = readText(path).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new KubeError('CREDENTIALS', `${path} holds no token`);
  return `Bearer ${token}`;
}

/** Node drops what it cannot parse without a word, and then trusts nobody. */
function readCertificates(path: string): string {
  const pem = readText(path);
  try {
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new KubeError('CREDENTIALS', `${path} holds no certificate`, { cause });
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const mend = 'the pod needs a service account with automountServiceAccountToken';
    throw new KubeError('CREDENTIALS', `${path} cannot be read: ${mend}`, { cause });
  }
}
