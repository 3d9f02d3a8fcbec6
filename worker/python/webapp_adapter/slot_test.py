import socket
import struct
import threading
import unittest

from webapp_adapter.frames import BODY, CANCEL, END, MAX_PAYLOAD, REQUEST, frame
from webapp_adapter.slot import FrontGone, Slot


def request(stream, environ="A\0b", body=b"", flags=0):
    return frame(REQUEST, stream, struct.pack(">BI", flags, len(environ)) + environ.encode("latin-1") + body)


class OverASocketPair(unittest.TestCase):
    def setUp(self):
        self.front, link = socket.socketpair()
        self.slot = Slot(link)
        self.addCleanup(self.front.close)
        self.addCleanup(self.slot.close)


class NextRequest(OverASocketPair):
    def test_parts(self):
        self.front.sendall(request(5, "K\0\xe9", b"body", flags=3))
        self.assertEqual(self.slot.next_request(), (3, "K\0\xe9", b"body"))
        self.assertEqual(self.slot.stream, 5)

    def test_several_that_came_together(self):
        self.front.sendall(request(1, body=b"one") + request(2, body=b"two"))
        self.assertEqual([self.slot.next_request()[2] for _ in range(2)], [b"one", b"two"])

    def test_one_that_comes_byte_by_byte(self):
        data = request(1, body=b"whole") + request(2, body=b"next")

        def drip():
            for at in range(len(data)):
                self.front.sendall(data[at : at + 1])

        dripping = threading.Thread(target=drip)
        dripping.start()
        self.assertEqual([self.slot.next_request()[2] for _ in range(2)], [b"whole", b"next"])
        dripping.join()

    def test_large_body(self):
        body = bytes(range(256)) * 8192
        sending = threading.Thread(target=self.front.sendall, args=(request(1, body=body) + request(2),))
        sending.start()
        self.assertEqual(self.slot.next_request()[2], body)
        self.assertEqual(self.slot.next_request()[2], b"")
        sending.join()

    def test_late_cancel_is_dropped(self):
        self.front.sendall(frame(CANCEL, 1) + request(2, body=b"next"))
        self.assertEqual(self.slot.next_request()[2], b"next")
        self.front.sendall(frame(CANCEL, 2))
        self.front.sendall(request(3, body=b"after"))
        self.assertEqual(self.slot.next_request()[2], b"after")

    def test_end_of_input(self):
        self.front.sendall(request(1))
        self.front.shutdown(socket.SHUT_WR)
        self.assertIsNotNone(self.slot.next_request())
        self.assertIsNone(self.slot.next_request())
        self.assertFalse(self.slot.broken)  # what runs may still be answered

    def test_end_within_a_frame(self):
        self.front.sendall(request(1, body=b"cut")[:-1])
        self.front.close()
        self.assertIsNone(self.slot.next_request())

    def test_finish_takes_what_is_on_its_way(self):
        self.front.sendall(request(1, body=b"sent before"))
        self.slot.finish()
        self.assertEqual(self.slot.next_request()[2], b"sent before")
        self.assertIsNone(self.slot.next_request())
        self.slot.send(b"still open to the front")


class Cancelled(OverASocketPair):
    def setUp(self):
        super().setUp()
        self.front.sendall(request(7))
        self.slot.next_request()

    def test_only_by_a_cancel_of_this_request(self):
        self.assertFalse(self.slot.cancelled())
        self.front.sendall(frame(CANCEL, 7))
        self.assertTrue(self.slot.cancelled())
        self.assertTrue(self.slot.cancelled())  # asking takes nothing away
        self.front.sendall(request(8, body=b"next"))
        self.assertEqual(self.slot.next_request()[2], b"next")
        self.assertFalse(self.slot.cancelled())

    def test_not_by_a_late_one(self):
        self.front.sendall(frame(CANCEL, 6))
        self.assertFalse(self.slot.cancelled())

    def test_not_by_a_part_of_one(self):
        self.front.sendall(frame(CANCEL, 7)[:5])
        self.assertFalse(self.slot.cancelled())

    def test_not_when_no_more_requests_will_come(self):
        self.front.shutdown(socket.SHUT_WR)
        self.assertFalse(self.slot.cancelled())


class Send(OverASocketPair):
    def receive(self, size):
        return self.front.recv(size, socket.MSG_WAITALL)

    def test_head_and_body_of_any_size(self):
        for size in (0, 1, 32 * 1024, 32 * 1024 + 1, 3_000_000):
            with self.subTest(size=size):
                sending = threading.Thread(target=self.slot.send, args=(b"head", b"x" * size))
                sending.start()
                self.assertEqual(self.receive(4 + size), b"head" + b"x" * size)
                sending.join()

    def test_pieces_beyond_the_largest_frame(self):
        size = MAX_PAYLOAD + 10
        sending = threading.Thread(target=self.slot.send_pieces, args=(BODY, b"x" * size))
        sending.start()
        first = self.receive(8 + MAX_PAYLOAD)
        second = self.receive(8 + 10)
        sending.join()
        self.assertEqual(struct.unpack_from(">I", first)[0], MAX_PAYLOAD)
        self.assertEqual(second, frame(BODY, 0, b"x" * 10))

    def test_when_the_front_is_gone(self):
        self.front.close()
        for _again in range(2):
            with self.assertRaises(FrontGone):
                self.slot.send_frame(END)
        self.assertTrue(self.slot.broken)


if __name__ == "__main__":
    unittest.main()
