// Hearing a peer out that has hung up. A server that answers before it has read the request (413, 503) and closes makes our next
// write fail while its answer lies unread in the kernel; Node would destroy the socket at once and lose it.
import type { Socket } from 'node:net';

/**
 * After a failed write `socket` is destroyed only when a whole turn of the event loop has brought nothing more: what the peer
 * had said before is here by then, and after a failed write nothing new can come. Should Node some day destroy its sockets by
 * another way than `destroy`, this does nothing, and such answers are lost as they were without it.
 */
export function hearLastWords(socket: Socket): void {
  const { destroy } = socket;
  socket.destroy = (error) => {
    socket.destroy = destroy;
    if (!isWriteFailure(error) || socket.isPaused()) return socket.destroy(error);
    listenOn(socket, error, socket.bytesRead);
    return socket;
  };
}

/** The first `setImmediate` ends the present turn, the second one a whole turn. */
function listenOn(socket: Socket, error: Error, heard: number): void {
  setImmediate(() =>
    setImmediate(() => {
      if (socket.destroyed) return;
      if (socket.bytesRead === heard || socket.isPaused()) socket.destroy(error);
      else listenOn(socket, error, socket.bytesRead);
    }),
  );
}

function isWriteFailure(error: Error | undefined): error is NodeJS.ErrnoException {
  return error !== undefined && 'syscall' in error && error.syscall === 'write';
}
