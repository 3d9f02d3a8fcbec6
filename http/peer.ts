// Who is at the other end of a connection.
import type { Socket } from 'node:net';
import type { Peer } from './exchange.ts';

/** Read at once: a socket that is closed no longer knows. */
export function peerOf(socket: Socket): Peer {
  const address = socket.remoteAddress ?? '';
  const localAddress = socket.localAddress ?? '';
  return {
    address: unmapped(address),
    port: socket.remotePort ?? 0,
    encrypted: 'encrypted' in socket,
    localAddress: unmapped(localAddress),
    localPort: socket.localPort ?? 0,
  };
}

/** An IPv4 address as a socket of both families gives it (RFC 4291 §2.5.5.2), as people write it. */
function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
