"""The serving loop of one slot: request in, application, answer out. PEP 3333, "The Server/Gateway Side"."""

from time import monotonic

from .environ import make_environ, make_template, mount_point
from .exchange import Exchange
from .faults import log_failure
from .files import FileWrapper
from .frames import ACCEPT, BODY_FILE, HEAD_ONLY, INFORM, WANT_ACCEPT
from .head import make_inform
from .slot import FrontGone

# A stream of many small blocks is not slowed by asking for each whether its client is still there.
_ASK_SECONDS = 0.01


class SlotServer:
    def __init__(self, slot, app, threads):
        self._slot = slot
        self._app = app
        self._mount = mount_point()
        self._template = make_template(slot, threads)
        self._template["wsgi.early_hints"] = self._send_early_hints
        self._exchange = None

    def run(self):
        """Serves requests until the front hands over no more, or has gone."""
        slot = self._slot
        while not slot.broken:
            request = slot.next_request()
            if request is None:
                return
            self._serve(*request)

    def _serve(self, flags, text, body):
        exchange = self._exchange = Exchange(self._slot, flags & HEAD_ONLY)
        environ = {}
        result = None
        failed = False
        try:
            environ = make_environ(self._template, self._mount, flags, text, body)
            if flags & BODY_FILE:
                body = environ["wsgi.input"]  # the application may put its own there; this one is closed in the end
            if flags & WANT_ACCEPT:
                self._slot.send_frame(ACCEPT)
            result = self._app(environ, exchange.start_response)
            if type(result) is list or type(result) is tuple:
                exchange.send_list(result)
            else:
                _send_blocks(exchange, result)
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too: one request may not take the process away from the others.
            failed = True
            self._report(environ, error)
        if hasattr(result, "close"):
            self._close(result, environ)
        if not exchange.over:
            self._end(exchange, failed, environ)
        if hasattr(body, "close"):
            body.close()

    def _close(self, result, environ):
        try:
            result.close()
        except BaseException as error:
            self._report(environ, error)

    def _end(self, exchange, failed, environ):
        if not failed:
            try:
                exchange.end()
                return
            except BaseException as error:
                self._report(environ, error)
        try:
            exchange.fail()
        except FrontGone:
            pass  # there is nobody to answer; the loop ends by it

    def _report(self, environ, error):
        if not self._slot.broken:  # else it is the front that failed, and it says so itself
            log_failure(environ, error)

    def _send_early_hints(self, headers):
        if not self._exchange.began:
            self._slot.send_pieces(INFORM, make_inform("103 Early Hints", headers))


def _send_blocks(exchange, result):
    if type(result) is FileWrapper:
        result = result.blocks(exchange.length)
    elif hasattr(result, "__len__") and len(result) == 1:
        _send_only_block(exchange, result)
        return
    ask_at = monotonic() + _ASK_SECONDS
    for block in result:
        exchange.write(block)
        if exchange.overlong or exchange.bodyless:
            return
        if monotonic() >= ask_at:
            if exchange.slot.cancelled():
                exchange.cancelled = True
                return
            ask_at = monotonic() + _ASK_SECONDS


def _send_only_block(exchange, result):
    for block in result:
        if exchange.head is not None and not exchange.began:
            exchange.declare(len(block))
        exchange.write(block)
