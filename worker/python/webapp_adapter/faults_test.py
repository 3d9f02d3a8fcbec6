import contextlib
import io
import sys
import unittest
from unittest import mock

from webapp_adapter.faults import log, log_failure


class LogFailure(unittest.TestCase):
    def test_one_write_with_the_request_and_the_traceback(self):
        stderr = mock.Mock(wraps=io.StringIO())
        try:
            raise ValueError("broken")
        except ValueError as error:
            with mock.patch.object(sys, "stderr", stderr):
                log_failure({"REQUEST_METHOD": "GET", "REQUEST_URI": "/a?b"}, error)
        self.assertEqual(stderr.write.call_count, 1)
        text = stderr.write.call_args.args[0]
        self.assertTrue(text.startswith("Error handling request GET /a?b\n"))
        self.assertTrue(text.endswith("ValueError: broken\n"))

    def test_a_client_cannot_write_lines_of_its_own(self):
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            log_failure({"REQUEST_METHOD": "GET", "REQUEST_URI": "/a\x1b[2J\nforged"}, ValueError())
        self.assertEqual(stderr.getvalue().count("\n"), 2)
        self.assertNotIn("\x1b", stderr.getvalue())

    def test_a_closed_stderr_is_borne(self):
        closed = io.StringIO()
        closed.close()
        for stderr in (closed, None):
            with mock.patch.object(sys, "stderr", stderr):
                log("nobody hears it")


if __name__ == "__main__":
    unittest.main()
