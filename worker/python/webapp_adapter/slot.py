"""One slot: a connection on which the front hands over one request at a time. Reads requests, sends frames."""

import socket

from .frames import CANCEL, HEADER, HEADER_BYTES, MAX_PAYLOAD, REQUEST, REQUEST_HEAD

READ_BYTES = 64 * 1024
# Up to here it is cheaper to copy head and body together than to hand the kernel two pieces.
_JOIN_BYTES = 32 * 1024
_PEEK = socket.MSG_PEEK | socket.MSG_DONTWAIT


class FrontGone(ConnectionError):
    """The front has closed the connection: nothing can be sent any more."""


class Slot:
    def __init__(self, link):
        self._link = link
        self._recv = link.recv
        self._sendall = link.sendall
        self._unread = b""
        # Number of the present request.
        self.stream = 0
        # Whether sending has failed; then every further request is lost too.
        self.broken = False

    def next_request(self):
        """Waits for a request.

        :returns: (flags, environ text, body or path of its file), or None when the front hands over no more
        """
        while True:
            data = self._next_frame()
            if data is None:
                return None
            if data[4] == REQUEST:
                break
            # A CANCEL that crossed the end of its request.
        _, word, flags, environ_bytes = REQUEST_HEAD.unpack_from(data)
        self.stream = word & 0xFFFFFF
        body_at = 13 + environ_bytes
        return flags, data[13:body_at].decode("latin-1"), data[body_at:]

    def _next_frame(self):
        """:returns: one whole frame with its header, or None at the end"""
        try:
            data = self._unread or self._recv(READ_BYTES)
            if len(data) < HEADER_BYTES:
                data = self._fill(data, HEADER_BYTES)
            end = HEADER_BYTES + HEADER.unpack_from(data)[0]
            if len(data) == end:  # nearly always: the front writes a request at once and then waits
                self._unread = b""
                return data
            if len(data) < end:
                data = self._fill(data, end)
        except (EOFError, OSError):
            return None
        self._unread = data[end:]
        return data[:end]

    def _fill(self, data, size):
        pieces = [data]
        missing = size - len(data)
        while missing > 0:
            piece = self._recv(max(missing, HEADER_BYTES))
            if not piece:
                raise EOFError
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def cancelled(self):
        """Whether the client of the present request has gone. Does not wait; for any thread, because it only peeks."""
        try:
            data = self._recv(HEADER_BYTES, _PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return len(data) == HEADER_BYTES and HEADER.unpack(data)[1] == (CANCEL << 24 | self.stream)

    def send(self, head, body=b""):
        """Sends `head` and `body` whole, in one system call where the kernel takes them so.

        :raises FrontGone: when the front has closed the connection
        """
        try:
            if len(body) <= _JOIN_BYTES:
                self._sendall(head + body if body else head)
                return
            sent = self._link.sendmsg((head, body)) - len(head)
            if sent < 0:
                self._sendall(head[sent:])
                sent = 0
            if sent < len(body):
                self._sendall(memoryview(body)[sent:])
        except OSError as error:
            self.broken = True
            raise FrontGone("the connection to the front is closed") from error

    def send_frame(self, kind):
        """Sends a frame without payload for the present request."""
        self.send(HEADER.pack(0, kind << 24 | self.stream))

    def send_pieces(self, kind, body):
        """Sends `body` as frames of type `kind`, each at most MAX_PAYLOAD."""
        word = kind << 24 | self.stream
        if len(body) <= MAX_PAYLOAD:
            self.send(HEADER.pack(len(body), word), body)
            return
        whole = memoryview(body)
        for at in range(0, len(whole), MAX_PAYLOAD):
            piece = whole[at : at + MAX_PAYLOAD]
            self.send(HEADER.pack(len(piece), word), piece)

    def finish(self):
        """Takes no request after the present one and those on their way: the next wait for a request ends at once."""
        try:
            self._link.shutdown(socket.SHUT_RD)
        except OSError:
            pass

    def close(self):
        self._link.close()
