// Stands between the operator and the API server and does what networks do: cuts every connection, or lets them hang without a word. TLS goes
// through unread.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface WireCutter {
  readonly url: URL;
  /** Resets every connection there is. */
  cut(): void;
  /** From now on nothing is carried and nothing closed, new connections included, until `mend`. */
  hang(): void;
  /** Carries on; what hung is cut. */
  mend(): void;
  close(): Promise<void>;
}

export async function makeWireCutter(server: URL): Promise<WireCutter> {
  const sockets = new Set<Socket>();
  let hanging = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const listener = createServer((near) => {
    keep(near);
    const far = keep(connect(Number(server.port), server.hostname));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes: Buffer) => {
        if (!hanging) to.write(bytes);
      });
      from.on('close', () => {
        if (!hanging) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: new URL(`https://127.0.0.1:${(listener.address() as AddressInfo).port}`),
    cut,
    hang: () => {
      hanging = true;
    },
    mend: () => {
      hanging = false;
      cut();
    },
    close: async () => {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
