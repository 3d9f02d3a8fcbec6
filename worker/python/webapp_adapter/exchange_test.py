import contextlib
import io
import struct
import unittest

from webapp_adapter import exchange as exchange_module
from webapp_adapter.exchange import Exchange
from webapp_adapter.frames import ABORT, BODY, END, HEAD, RESPONSE


class FakeSlot:
    """Keeps what is sent, as (type, head or payload, body)."""

    stream = 3
    broken = False

    def __init__(self):
        self.data = b""

    def send(self, head, body=b""):
        self.data += head + body

    def send_frame(self, kind):
        self.send(struct.pack(">II", 0, kind << 24 | self.stream))

    def send_pieces(self, kind, body):
        self.send(struct.pack(">II", len(body), kind << 24 | self.stream), body)

    def frames(self):
        found, data = [], self.data
        while data:
            length, word = struct.unpack_from(">II", data)
            assert word & 0xFFFFFF == self.stream
            found.append((word >> 24, data[8 : 8 + length]))
            data = data[8 + length :]
        return found


def whole(head, body):
    return (RESPONSE, struct.pack(">I", len(head)) + head + body)


OK = ("200 OK", [])


class Answers(unittest.TestCase):
    def setUp(self):
        self.slot = FakeSlot()
        self.exchange = Exchange(self.slot, False)
        self.errors = io.StringIO()
        stack = contextlib.ExitStack()
        stack.enter_context(contextlib.redirect_stderr(self.errors))
        self.addCleanup(stack.close)

    def sent(self):
        return self.slot.frames()

    def test_list_is_one_frame(self):
        self.exchange.start_response(*OK)
        self.exchange.send_list([b"a", b"b"])
        self.exchange.end()
        self.assertEqual(self.sent(), [whole(b"200 OK\0Content-Length\x002", b"ab")])

    def test_blocks_go_as_they_come(self):
        self.exchange.start_response(*OK)
        self.assertEqual(self.sent(), [])
        self.exchange.write(b"")
        self.assertEqual(self.sent(), [])
        self.exchange.write(b"one")
        self.assertEqual(self.sent(), [(HEAD, b"200 OK"), (BODY, b"one")])
        self.exchange.write(b"two")
        self.assertEqual(self.sent()[2:], [(BODY, b"two")])
        self.exchange.end()
        self.assertEqual(self.sent()[3:], [(END, b"")])

    def test_nothing_after_the_end(self):
        self.exchange.start_response(*OK)
        self.exchange.send_list([b"a"])
        before = self.sent()
        self.exchange.end()
        self.exchange.fail()
        with self.assertRaises(RuntimeError):
            self.exchange.write(b"more")
        self.assertEqual(self.sent(), before)

    def test_more_than_the_length_is_said_once(self):
        self.exchange.start_response("200 OK", [("Content-Length", "3")])
        for block in (b"ab", b"cd", b"ef"):
            self.exchange.write(block)
        self.exchange.end()
        self.assertEqual(self.sent(), [(HEAD, b"200 OK\0Content-Length\x003"), (BODY, b"ab"), (BODY, b"c"), (END, b"")])
        self.assertEqual(self.errors.getvalue().count("more than its Content-Length"), 1)

    def test_a_body_where_the_length_is_0(self):
        self.exchange.start_response("200 OK", [("Content-Length", "0")])
        self.exchange.write(b"x")
        self.exchange.end()
        self.assertEqual(self.sent(), [(HEAD, b"200 OK\0Content-Length\x000"), (END, b"")])

    def test_less_than_the_length_is_cut(self):
        self.exchange.start_response("200 OK", [("Content-Length", "3")])
        self.exchange.end()
        self.assertEqual(self.sent(), [(HEAD, b"200 OK\0Content-Length\x003"), (ABORT, b"")])

    def test_failing_before_and_after_the_head(self):
        self.exchange.start_response(*OK)
        self.exchange.fail()
        (kind, payload), *more = self.sent()
        self.assertEqual((kind, more), (RESPONSE, []))
        self.assertIn(b"500 Internal Server Error", payload)
        self.slot = FakeSlot()
        late = Exchange(self.slot, False)
        late.start_response(*OK)
        late.write(b"x")
        late.fail()
        self.assertEqual(self.sent()[-1], (ABORT, b""))

    def test_failing_when_the_client_has_all_is_an_end(self):
        self.exchange.start_response("200 OK", [("Content-Length", "1")])
        self.exchange.write(b"x")
        self.exchange.fail()
        self.assertEqual(self.sent()[-1], (END, b""))

    def test_a_cancelled_one_just_ends(self):
        self.exchange.start_response("200 OK", [("Content-Length", "9")])
        self.exchange.write(b"x")
        self.exchange.cancelled = True
        self.exchange.end()
        self.assertEqual(self.sent()[-1], (END, b""))

    def test_head_only(self):
        for blocks, head in (([b"abc"], b"200 OK\0Content-Length\x003"), ([], b"200 OK")):
            self.slot = FakeSlot()
            exchange = Exchange(self.slot, True)
            exchange.start_response(*OK)
            exchange.send_list(blocks)
            exchange.end()
            self.assertEqual(self.sent(), [whole(head, b"")])

    def test_a_list_too_large_for_one_frame_still_has_its_length(self):
        body = bytes(exchange_module.MAX_PAYLOAD // 2 + 1)
        self.exchange.start_response(*OK)
        self.exchange.send_list([body])
        self.exchange.end()
        self.assertEqual(
            self.sent(), [(HEAD, b"200 OK\0Content-Length\0%d" % len(body)), (BODY, body), (END, b"")]
        )


if __name__ == "__main__":
    unittest.main()
