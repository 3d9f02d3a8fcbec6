// Questions to a port of a pod that no NetworkPolicy stops: through the API server and the kubelet into the pod's own network, as `kubectl port-forward` goes. By
// @kubernetes/client-node, which is large, so it is loaded only when this is called.
import { Agent, type ClientRequestArgs, request } from 'node:http';
import { type Duplex, duplexPair, PassThrough } from 'node:stream';
import type { PortForward } from '@kubernetes/client-node';
import { KubeError } from '../errors.ts';
import { type KubeconfigPlace, loadKubeconfig } from './kubeconfig.ts';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface PodReader {
  /**
   * GET. Whoever asks needs `get` on `pods/portforward`, since Kubernetes 1.35 `create` too.
   * @returns the JSON of a 200, at most 4 MiB
   * @throws KubeError, with `status` 403 when one may not
   */
  get(from: PodPort, path: string, timeoutMs: number): Promise<unknown>;
  /** Cuts what is there. Twice is safe. */
  close(): void;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** Until a way is open: the API server may wait for a kubelet that is gone. */
const OPEN_MS = 5_000;

/** What of the library's is used. */
export type Forward = Pick<PortForward, 'portForward'>;

/** @throws as kubeconfigAccess */
export async function makePodReader(place: KubeconfigPlace): Promise<PodReader> {
  const config = await loadKubeconfig(place);
  const library = await import('@kubernetes/client-node');
  const apply = config.applyToHTTPSOptions.bind(config);
  // These become the options of a WebSocket of `ws`, which waits for ever otherwise.
  config.applyToHTTPSOptions = async (options) => {
    await apply(options);
    Object.assign(options, { handshakeTimeout: OPEN_MS });
  };
  return readerBy(new library.PortForward(config));
}

export function readerBy(forward: Forward): PodReader {
  const agent = new ForwardingAgent(forward);
  return {
    get: (from, path, timeoutMs) => get(agent, from, path, timeoutMs),
    close: () => agent.destroy(),
  };
}

/** Keeps connections, by namespace, pod and port: `top` asks again soon. */
class ForwardingAgent extends Agent {
  readonly #forward: Forward;

  constructor(forward: Forward) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#forward = forward;
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    made: (error: Error | null, connection: Duplex) => void,
  ): undefined {
    const [pod = '', namespace = ''] = String(host).split('/');
    connect(this.#forward, { namespace, pod, port: Number(port) }).then(
      (connection) => made(null, connection),
      (error: Error) => made(error, undefined as never),
    );
  }

  // What Node does here is for sockets of its own: these are streams.
  override keepSocketAlive(): boolean {
    return true;
  }

  override reuseSocket(): void {}
}

async function connect(forward: Forward, { namespace, pod, port }: PodPort): Promise<Duplex> {
  const [connection, far] = duplexPair({ allowHalfOpen: false });
  const refused = new PassThrough();
  const socket = await forward
    .portForward(namespace, pod, [port], far, refused, far)
    .catch((event: { message?: string }) => Promise.reject(notOpened(event.message ?? '')));
  if (typeof socket === 'function') throw new Error('the library gives that only where it was asked to try again');
  socket.onclose = () => far.end();
  // What the container runtime says to it is long, and names nothing that a person knows.
  refused.on('data', (text: Buffer) => {
    connection.destroy(new Error(`port ${port} of the pod takes no connection`, { cause: text.toString() }));
  });
  connection.on('close', () => socket.terminate());
  return connection;
}

/** @param message of the library: it tells the server's status there and nowhere else */
function notOpened(message: string): KubeError {
  const status = Number(/response: (\d{3})$/.exec(message)?.[1] ?? 0);
  const why = `no way to the pod can be opened through the API server: ${message}`;
  return new KubeError(status === 0 ? 'NETWORK' : 'API', why, { status });
}

function get(agent: Agent, { namespace, pod, port }: PodPort, path: string, timeoutMs: number): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(cause instanceof KubeError ? cause : new KubeError('NETWORK', cause.message, { cause }));
    // Node tells a request of its end only when it has a connection, and the way may not be open yet.
    signal.onabort = () => reject(new KubeError('TIMEOUT', `no answer within ${timeoutMs} ms`));
    const host = `${pod}/${namespace}`;
    const asked = request({ agent, host, port, path, headers: { host: 'localhost' }, signal }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BYTES) asked.destroy(new Error(`the answer is larger than ${MAX_BYTES} bytes`));
      });
      answer.on('error', fail).on('end', () => {
        if (answer.statusCode !== 200) return fail(new Error(`it answers with status ${answer.statusCode}`));
        try {
          resolve(JSON.parse(text));
        } catch (cause) {
          reject(new KubeError('INVALID_RESPONSE', 'the answer is no JSON', { cause }));
        }
      });
    });
    asked.on('error', fail).end();
  });
}
