"""An application that has every kind of trouble, when asked for it, or when a file says so."""

import os
import time
from urllib.parse import parse_qs

FAULTS = os.environ["FAULTS"]


def is_wished(fault):
    return os.path.exists(os.path.join(FAULTS, fault))


if is_wished("broken"):
    raise RuntimeError("the database is away")
if is_wished("slow-start"):
    time.sleep(60)


def leave():
    os._exit(3)


def write_into_socket():
    """The one that was opened last: by it requests come. The other is the lifeline, any word on it is a death by signal."""
    os.write(max(fd for fd in range(3, 64) if is_socket(fd)), b"what nobody expects " * 10)


def is_socket(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    except OSError:
        return False


def eat():
    # So that the kernel takes this process, not one of the programs around it.
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    eaten = []
    while True:
        eaten.append(bytearray(b"x" * 2**20))


ENDS = {"/leave": leave, "/write-into-socket": write_into_socket, "/eat": eat}


def app(environ, start_response):
    environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path in ENDS:
        ENDS[path]()
    if path == "/slow":
        time.sleep(float(parse_qs(environ["QUERY_STRING"])["seconds"][0]))
    failed = path == "/fail" or (path == "/healthz" and is_wished(f"sick-{os.getpid()}"))
    start_response("500 Internal Server Error" if failed else "200 OK", [("Content-Type", "text/plain")])
    return [b"served\n"]
