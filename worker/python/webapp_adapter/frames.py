"""The wire to the front: the mirror of worker/frames.ts, where every frame is described."""

import struct

HEADER_BYTES = 8
MAX_PAYLOAD = 16 * 1024 * 1024

HELLO = 1
BOOTED = 2
BOOT_FAILED = 3
STOP = 4
FORK = 5
FORKED = 6
EXITED = 7
REQUEST = 16
CANCEL = 17
ACCEPT = 32
HEAD = 33
BODY = 34
END = 35
RESPONSE = 36
ABORT = 37
INFORM = 38

# Flags of REQUEST.
WANT_ACCEPT = 1
BODY_FILE = 2
HEAD_ONLY = 4

# length; type << 24 | stream
HEADER = struct.Struct(">II")
# The same, and what a REQUEST's payload begins with: flags, length of the environ.
REQUEST_HEAD = struct.Struct(">IIBI")
# The same, and what a RESPONSE's payload begins with: length of the head.
RESPONSE_HEAD = struct.Struct(">III")


def frame(kind, stream, payload=b""):
    return HEADER.pack(len(payload), kind << 24 | stream) + payload
