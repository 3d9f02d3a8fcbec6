import unittest

from webapp_adapter import head
from webapp_adapter.head import make_head, make_inform


class MakeHead(unittest.TestCase):
    def test_forms(self):
        for status, headers, wire, length, bodyless in (
            ("200 OK", [], b"200 OK", None, False),
            ("200", [], b"200", None, False),
            ("200 ", [], b"200 ", None, False),
            ("200 OK", [("A", "b"), ("C", "")], b"200 OK\0A\0b\0C\0", None, False),
            ("200 OK", [("A", "tab\there"), ("B", "\xe9")], b"200 OK\0A\0tab\there\0B\0\xe9", None, False),
            ("200 OK", [("Content-Length", "007")], b"200 OK\0Content-Length\000007", 7, False),
            ("200 OK", [("content-length", "7"), ("Content-Length", "7")], b"200 OK\0content-length\0007", 7, False),
            ("304 Not Modified", [("Content-Length", "7")], b"304 Not Modified\0Content-Length\0007", None, True),
            ("204 No Content", [("Content-Length", "7"), ("A", "b")], b"204 No Content\0A\0b", None, True),
            ("200 OK", [("cOnnection", "close"), ("te", "x"), ("A", "b")], b"200 OK\0A\0b", None, False),
            ("200 OK", (("A", "b") for _ in range(2)), b"200 OK\0A\0b\0A\0b", None, False),
        ):
            with self.subTest(status=status, headers=headers):
                self.assertEqual(make_head(status, headers), (wire, length, bodyless))

    def test_refusals(self):
        for status, headers, kind, words in (
            (b"200 OK", [], TypeError, "status must be str"),
            ("2000", [], ValueError, 'like "200 OK"'),
            ("\u0662\u0660\u0660 OK", [], ValueError, 'like "200 OK"'),
            ("099 Low", [], ValueError, "200 or more"),
            ("101 Switching", [], ValueError, "200 or more"),
            ("200 O\nK", [], ValueError, "control characters"),
            ("200 O\x7fK", [], ValueError, "control characters"),
            ("200 \u20ac", [], ValueError, "Latin-1"),
            ("200 OK", [("A B", "x")], ValueError, "not a header name: 'A B'"),
            ("200 OK", [("\xe9", "x")], ValueError, "not a header name"),
            ("200 OK", [("A", "x\0B\0y")], ValueError, "control characters"),
            ("200 OK", [("A", "x\x0b")], ValueError, "control characters"),
            ("200 OK", [("A", None)], TypeError, "must be str, not NoneType"),
            ("200 OK", [("A",)], ValueError, "unpack"),
            ("200 OK", [("Content-Length", "1e3")], ValueError, "number of bytes"),
            ("200 OK", [("Content-Length", "")], ValueError, "number of bytes"),
            ("200 OK", [("Content-Length", "+1")], ValueError, "number of bytes"),
            ("200 OK", [("Content-Length", "\u0661")], ValueError, "number of bytes"),
            ("200 OK", [("Content-Length", "9" * 30)], ValueError, "number of bytes"),
            ("200 OK", [("Content-Length", 5)], ValueError, "number of bytes"),
        ):
            with self.subTest(status=status, headers=headers):
                for _again in range(2):  # what was refused is not remembered as good
                    with self.assertRaisesRegex(kind, words):
                        make_head(status, headers)

    def test_what_an_application_makes_up_is_not_all_remembered(self):
        for number in range(3000):
            make_head(f"299 Reason {number}", [(f"X-{number}", "v")])
        self.assertLessEqual(max(len(head._names), len(head._statuses)), head._MAX_KNOWN)
        self.assertEqual(make_head("299 Reason 2999", [("X-2999", "v")])[0], b"299 Reason 2999\0X-2999\0v")


class MakeInform(unittest.TestCase):
    def test_drops_what_is_the_connections(self):
        hints = [("Link", "</a>"), ("Connection", "close"), ("Content-Length", "3")]
        self.assertEqual(make_inform("103 Early Hints", hints), b"103 Early Hints\0Link\0</a>")

    def test_checks(self):
        with self.assertRaises(ValueError):
            make_inform("103 Early Hints", [("Link", "a\r\nb")])


if __name__ == "__main__":
    unittest.main()
