"""An application that has every kind of trouble, when asked for it."""

import os
import time
from urllib.parse import parse_qs

if os.path.exists(os.environ["BROKEN"]):
    raise RuntimeError("the database is away")


def app(environ, start_response):
    environ["wsgi.input"].read()
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(float(parse_qs(environ["QUERY_STRING"])["seconds"][0]))
    failed = path == "/fail"
    start_response("500 Internal Server Error" if failed else "200 OK", [("Content-Type", "text/plain")])
    return [b"served\n"]
