"""One request's answer: start_response, write() and the order in which head, body and end go to the front. PEP 3333.

The head goes with the first block that is not empty; each block is sent before the next is asked for.
"""

from .faults import log
from .frames import ABORT, BODY, END, HEAD, HEADER, MAX_PAYLOAD, RESPONSE, RESPONSE_HEAD
from .head import make_head

_FAILED = b"500 Internal Server Error\0Content-Type\0text/plain; charset=utf-8"
_FAILED_BODY = b"Internal Server Error\n"


class Exchange:
    # Class attributes are the beginning of every exchange: an assignment saved for each in __init__.
    # Head in the wire's form; None until start_response.
    head = None
    # Whether the head has gone.
    began = False
    # Whether the response has been ended: END, ABORT or RESPONSE is sent.
    over = False
    # Content-Length as declared; None when it is not, or there is no body.
    length = None
    # Body bytes counted against `length`.
    sent = 0
    # Whether the application gave more than `length`.
    overlong = False
    # Whether the client was found to be gone.
    cancelled = False

    def __init__(self, slot, head_only):
        self.slot = slot
        self.head_only = head_only
        # Whether no body goes out, whatever the application gives.
        self.bodyless = head_only

    # ── for the application ──

    def start_response(self, status, headers, exc_info=None):
        if exc_info:
            try:
                if self.began:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # breaks the cycle of traceback and frame
        elif self.head is not None:
            raise AssertionError("start_response was called before: a second call needs exc_info")
        self.head, self.length, bodyless = make_head(status, headers)
        self.bodyless = bodyless or self.head_only
        return self.write

    def write(self, data):
        """Sends one block of the body now, after the head when it is the first."""
        if self.over:
            raise RuntimeError("write() was called after the response had ended")
        if self.head is None:
            raise AssertionError("the application gave a body before it called start_response")
        if type(data) is not bytes and not isinstance(data, bytes):
            raise TypeError(f"the body must be bytes, not {type(data).__name__}: {data!r:.100}")
        if not data:
            return
        if self.length is not None:
            room = self.length - self.sent
            if len(data) > room:
                data = data[:room]
                if not self.overlong:
                    self.overlong = True
                    log("the application gave more than its Content-Length of %d: the rest is cut off" % self.length)
        self.sent += len(data)
        if self.bodyless:
            return
        if not self.began:
            self._send_head(data)
        elif data:
            self.slot.send_pieces(BODY, data)

    # ── for the serving loop ──

    def send_list(self, blocks):
        """Answers with a list of blocks: all is there and nothing runs between them, so that one frame carries it."""
        body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        if self.head is None or self.began or type(body) is not bytes:
            self.write(body)
            return
        size = len(body)
        if self.length is None and (size or not self.head_only):
            # An application may leave out the body of a HEAD: its length is not 0 then.
            self.declare(size)
        if self.bodyless or (self.length == size and size <= MAX_PAYLOAD // 2):
            self._send_whole(b"" if self.bodyless else body)
        else:
            self.write(body)

    def declare(self, size):
        """Adds the Content-Length that the application left out, as the body turned out to be `size` bytes."""
        if self.length is None and self.head[:3] not in (b"204", b"304"):
            self.length = size
            self.head += b"\0Content-Length\0%d" % size

    def end(self):
        """Ends the answer, once the application's iterable is closed: the slot is free by this."""
        if self.over:
            return
        if self.cancelled:
            self._close(END)
            return
        if not self.began:
            if self.head is None:
                raise AssertionError("the application did not call start_response")
            if self.length is None and not self.head_only:
                self.declare(0)
            if self.bodyless or not self.length:
                self._send_whole(b"")
                return
            self._send_head(b"")
        if self.length is not None and self.sent < self.length:
            log("the application gave %d bytes, less than its Content-Length of %d" % (self.sent, self.length))
            self._close(ABORT)
        else:
            self._close(END)

    def fail(self):
        """Ends the answer after an error: 500 while nothing has gone, else the client is cut, unless it has all."""
        if self.over:
            return
        if not self.began:
            self.head, self.length, self.bodyless = _FAILED, None, self.head_only
            self.declare(len(_FAILED_BODY))
            self._send_whole(b"" if self.head_only else _FAILED_BODY)
        elif self.length is not None and self.sent == self.length:
            self._close(END)
        else:
            self._close(ABORT)

    # ── sending ──

    def _send_head(self, data):
        self.began = True
        head, slot = self.head, self.slot
        frame = HEADER.pack(len(head), HEAD << 24 | slot.stream) + head
        if not data:
            slot.send(frame)
        elif len(data) > MAX_PAYLOAD:
            slot.send(frame)
            slot.send_pieces(BODY, data)
        else:
            slot.send(frame + HEADER.pack(len(data), BODY << 24 | slot.stream), data)

    def _send_whole(self, body):
        self.began = self.over = True
        head, slot = self.head, self.slot
        size = 4 + len(head) + len(body)
        slot.send(RESPONSE_HEAD.pack(size, RESPONSE << 24 | slot.stream, len(head)) + head, body)

    def _close(self, kind):
        self.over = True
        self.slot.send_frame(kind)
