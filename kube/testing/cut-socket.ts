import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Ends a connection with RST, so that the other side sees a failure and no orderly end. A TLS socket knows no RST: cut without close_notify. */
export function cutSocket(socket: Socket | null): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket?.resetAndDestroy();
}
