import io
import os
import sys
import tempfile
import unittest
from unittest import mock

from webapp_adapter.environ import make_environ, make_template, mount_point
from webapp_adapter.frames import BODY_FILE


class FakeSlot:
    def cancelled(self):
        return False


def environ_of(path, mount="", body=b"", flags=0):
    text = f"REQUEST_METHOD\0GET\0REQUEST_URI\0{path}\0PATH_INFO\0{path}"
    return make_environ(make_template(FakeSlot(), 1), mount, flags, text, body)


class MakeEnviron(unittest.TestCase):
    def test_paths(self):
        for path, wanted in (
            ("/a", "/a"),
            ("", ""),
            ("/%41%zz%4", "/A%zz%4"),
            ("/%C3%A9", "/\xc3\xa9"),
            ("/\xe9%41", "/\xe9A"),
            ("/%00X%00y", "/\0X\0y"),
            ("/a+b%2B", "/a+b+"),
        ):
            with self.subTest(path=path):
                environ = environ_of(path)
                self.assertEqual((environ["PATH_INFO"], environ["RAW_URI"]), (wanted, path))
                self.assertNotIn("X", environ)

    def test_mount_point(self):
        for path, script, info in (
            ("/shop", "/shop", ""),
            ("/shop/", "/shop", "/"),
            ("/shop/a", "/shop", "/a"),
            ("/%73hop/a", "/shop", "/a"),
            ("/shopping", "", "/shopping"),
            ("/", "", "/"),
        ):
            with self.subTest(path=path):
                environ = environ_of(path, mount="/shop")
                self.assertEqual((environ["SCRIPT_NAME"], environ["PATH_INFO"]), (script, info))

    def test_the_template_stays_as_it_is(self):
        template = make_template(FakeSlot(), 1)
        before = dict(template)
        make_environ(template, "", 0, "REQUEST_URI\0/\0PATH_INFO\0/\0X\0y", b"")
        self.assertEqual(template, before)

    def test_a_body_in_memory_and_one_in_a_file(self):
        self.assertIsInstance(environ_of("/", body=b"ab")["wsgi.input"], io.BytesIO)
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"from a file")
            file.flush()
            source = environ_of("/", body=os.fsencode(file.name), flags=BODY_FILE)["wsgi.input"]
            self.assertEqual(source.read(), b"from a file")
            source.close()

    def test_threads(self):
        self.assertIs(make_template(FakeSlot(), 1)["wsgi.multithread"], False)
        self.assertIs(make_template(FakeSlot(), 2)["wsgi.multithread"], True)
        self.assertIs(make_template(FakeSlot(), 1)["wsgi.errors"], sys.stderr)


class MountPoint(unittest.TestCase):
    def test_forms(self):
        forms = ((None, ""), ("", ""), ("/", ""), ("shop", "/shop"), ("/shop/", "/shop"), ("/a/b", "/a/b"))
        for value, wanted in forms:
            with self.subTest(value=value), mock.patch.dict(os.environ):
                os.environ.pop("SCRIPT_NAME", None)
                if value is not None:
                    os.environ["SCRIPT_NAME"] = value
                self.assertEqual(mount_point(), wanted)


if __name__ == "__main__":
    unittest.main()
