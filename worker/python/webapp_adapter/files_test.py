import io
import unittest

from webapp_adapter.files import FileWrapper


class Blocks(unittest.TestCase):
    def test_up_to_the_length_from_where_it_stands(self):
        for size, start, length, wanted in (
            (10, 0, None, 10),
            (10, 4, None, 6),
            (10, 0, 3, 3),
            (10, 8, 5, 2),
            (10, 0, 0, 0),
            (600_000, 0, None, 600_000),
            (600_000, 1, 500_000, 500_000),
        ):
            with self.subTest(size=size, start=start, length=length):
                content = bytes(index % 251 for index in range(size))
                file = io.BytesIO(content)
                file.seek(start)
                blocks = list(FileWrapper(file).blocks(length))
                self.assertEqual(b"".join(blocks), content[start : start + wanted])
                self.assertNotIn(b"", blocks)

    def test_as_a_plain_iterable_it_keeps_the_size_it_was_given(self):
        self.assertEqual([len(block) for block in FileWrapper(io.BytesIO(b"x" * 10), 4)], [4, 4, 2])

    def test_close(self):
        file = io.BytesIO()
        FileWrapper(file).close()
        self.assertTrue(file.closed)
        self.assertFalse(hasattr(FileWrapper(object()), "close"))


if __name__ == "__main__":
    unittest.main()
