// The way of a person or a test: a kubeconfig file, read and authenticated by @kubernetes/client-node (tokens, client certificates, exec plugins,
// OIDC). That library is large, so it is loaded only when this is called.
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Clock, systemClock } from '../../core/clock.ts';
import { KubeError } from '../errors.ts';
import type { Access } from '../transport.ts';

export interface KubeconfigPlace {
  /** One file or several, separated as in KUBECONFIG; what the first says holds. Default: `~/.kube/config`. */
  readonly path?: string | undefined;
  /** Default: the file's current context. */
  readonly context?: string | undefined;
  readonly clock?: Clock;
}

type Headers = Readonly<Record<string, string>>;
type Tls = ReturnType<Access['tls']>;

/** Files and plugins are asked again when what they said is older. The library itself keeps a token until it ends. */
const REREAD_MS = 10_000;
/** What is refused right after it was read is not asked for again so soon: a plugin is a process, and calls are many. */
const REFUSED_REREAD_MS = 1_000;

/** @throws KubeError CREDENTIALS, naming the mend, when file, context, cluster or user are not there */
export async function kubeconfigAccess(place: KubeconfigPlace = {}): Promise<Access> {
  const { clock = systemClock } = place;
  let config = await loadKubeconfig(place);
  const server = serverOf(config);
  let headers: Headers = {};
  let tls: Tls = {};
  let readAt = Number.NEGATIVE_INFINITY;
  let mustReload = false;
  let reading: Promise<Headers> | undefined;

  const read = async (): Promise<Headers> => {
    if (mustReload) config = await loadKubeconfig(place);
    mustReload = false;
    const shown = await credentialsOf(config);
    if (!isSame(headers, shown.headers)) headers = shown.headers;
    if (!isSame(tls, shown.tls)) tls = shown.tls;
    readAt = clock.now();
    return headers;
  };
  const readOnce = (): Promise<Headers> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  return {
    server,
    headers: () => (clock.now() - readAt < REREAD_MS ? headers : readOnce()),
    tls: () => tls,
    refused(refused) {
      if (refused !== headers || clock.now() - readAt < REFUSED_REREAD_MS) return;
      readAt = Number.NEGATIVE_INFINITY;
      mustReload = true;
    },
  };
}

/** @returns the namespace that the context names, as kubectl takes it. @throws as kubeconfigAccess */
export async function kubeconfigNamespace(place: Omit<KubeconfigPlace, 'clock'> = {}): Promise<string> {
  const config = await loadKubeconfig(place);
  return config.getContextObject(config.getCurrentContext())?.namespace || 'default';
}

/** The operator's image is for pods, which have no use for it. */
function explainMissing(cause: NodeJS.ErrnoException): never {
  if (cause.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
  const message =
    'this is not a pod (KUBERNETES_SERVICE_HOST is not set), and what reads kubeconfig files is not in this image';
  throw new KubeError('CREDENTIALS', message, { cause });
}

/** @returns with the context chosen, whole. @throws as kubeconfigAccess */
export async function loadKubeconfig({ path, context }: KubeconfigPlace): Promise<KubeConfig> {
  const library = await import('@kubernetes/client-node').catch(explainMissing);
  const [first = join(homedir(), '.kube', 'config'), ...more] = (path ?? '')
    .split(delimiter)
    .filter((file) => file !== '');
  const config = new library.KubeConfig();
  readFile(config, first);
  for (const file of more) {
    const next = new library.KubeConfig();
    readFile(next, file);
    merge(config, next, file);
  }
  if (context !== undefined) config.setCurrentContext(context);
  expectWhole(config, first);
  // The library refuses plain HTTP unless TLS checks are off, which mean nothing there; `kubectl proxy` is such a server.
  const cluster = config.getCurrentCluster();
  if (cluster?.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
  return config;
}

function readFile(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file);
  } catch (cause) {
    const mend = 'name another with --kubeconfig or KUBECONFIG';
    throw new KubeError('CREDENTIALS', `kubeconfig ${file} cannot be read (${messageOf(cause)}): ${mend}`, { cause });
  }
}

function merge(config: KubeConfig, next: KubeConfig, file: string): void {
  try {
    config.mergeConfig(next, config.currentContext !== undefined && config.currentContext !== '');
  } catch (cause) {
    throw new KubeError('CREDENTIALS', `kubeconfig ${file} cannot be added: ${messageOf(cause)}`, { cause });
  }
}

function expectWhole(config: KubeConfig, file: string): void {
  const name = config.getCurrentContext();
  const context = name ? config.getContextObject(name) : null;
  const there = config.getContexts().map((each) => each.name);
  const choice = there.length === 0 ? 'it has none' : `there are: ${there.join(', ')}`;
  if (!name) throw new KubeError('CREDENTIALS', `kubeconfig ${file} has no current context: name one; ${choice}`);
  if (context === null) throw new KubeError('CREDENTIALS', `kubeconfig ${file} has no context ${name}: ${choice}`);
  const missing = config.getCurrentCluster() === null ? `cluster ${context.cluster}` : `user ${context.user}`;
  if (config.getCurrentCluster() === null || config.getCurrentUser() === null)
    throw new KubeError('CREDENTIALS', `kubeconfig ${file}: context ${name} names ${missing}, which is not in it`);
  if (config.getCurrentCluster()?.proxyUrl)
    throw new KubeError('CREDENTIALS', `kubeconfig ${file}: proxy-url of cluster ${context.cluster} is not supported`);
}

function serverOf(config: KubeConfig): URL {
  const server = config.getCurrentCluster()?.server ?? '';
  if (!/^https?:\/\//.test(server) || !URL.canParse(server))
    throw new KubeError('CREDENTIALS', `kubeconfig: the cluster's server is no URL: ${server}`);
  return new URL(server);
}

/** @returns what the library would put into a request of its own */
async function credentialsOf(config: KubeConfig): Promise<{ headers: Headers; tls: Tls }> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const user = config.getCurrentUser()?.name ?? '';
    throw new KubeError('CREDENTIALS', `kubeconfig: user ${user} cannot be authenticated: ${messageOf(cause)}`, {
      cause,
    });
  }
  return { headers: headersOf(options), tls: tlsOf(options) };
}

function headersOf({ headers, auth }: RequestOptions): Headers {
  const basic = auth ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value).trim()]);
  return { ...basic, ...(Object.fromEntries(given) as Headers) };
}

function tlsOf({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }: RequestOptions): Tls {
  const all = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Tls;
}

/** Small and rarely asked: certificates are compared as text. */
function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}
