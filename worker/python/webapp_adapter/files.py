"""wsgi.file_wrapper: a file as a response's body. PEP 3333, "Optional Platform-Specific File Handling"."""

# What applications ask for (4 and 8 KiB) is made for servers that copy block by block; fewer, larger blocks cost less.
_BLOCK_BYTES = 256 * 1024


class FileWrapper:
    """Iterates over the rest of `filelike` from where it stands; when it is wrapped again, as any iterable."""

    def __init__(self, filelike, blksize=8192):
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.blksize)
        if not block:
            raise StopIteration
        return block

    def blocks(self, length):
        """:param length: Content-Length, beyond which nothing is read; None: to the end of the file"""
        read = self.filelike.read
        size = max(self.blksize, _BLOCK_BYTES)
        left = length
        while left is None or left > 0:
            block = read(size if left is None else min(size, left))
            if not block:
                return
            if left is not None:
                left -= len(block)
            yield block
