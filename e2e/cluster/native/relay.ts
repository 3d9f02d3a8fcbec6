// From a port of the machine into the cluster's network: whoever connects to the listener talks to `host:port` from here.
import { connect, type Server, type Socket } from 'node:net';

/**
 * @param listener a socket stays in the network namespace where it was made, whoever accepts from it
 * @returns ends the connections that are open now
 */
export function relay(listener: Server, host: string, port: number): () => void {
  const open = new Set<Socket>();
  // Too many files are open: one connection is lost, not the cluster.
  listener.on('error', () => {});
  listener.on('connection', (outside: Socket) => {
    const inside = connect(port, host);
    for (const [one, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      open.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        // What is under way to it still arrives.
        other.destroySoon();
      });
    }
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}
