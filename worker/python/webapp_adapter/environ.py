"""The environ of a request: a copy of a template, and what differs, as the front sends it. PEP 3333."""

import os
import sys
from io import BytesIO
from urllib.parse import unquote_to_bytes

from .files import FileWrapper
from .frames import BODY_FILE


def make_template(slot, threads):
    """What is the same for all requests of `slot`."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": threads > 1,
        # The number of processes changes while this one runs.
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        # The body is here in full and ends by itself. Its presence is what Werkzeug looks at.
        "wsgi.input_terminated": True,
        "webapp.client_disconnected": slot.cancelled,
        "SERVER_SOFTWARE": "webapp-worker",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
    }


def mount_point():
    """:returns: path under which the application is mounted, from SCRIPT_NAME of the environment as for gunicorn"""
    prefix = os.environ.get("SCRIPT_NAME", "").strip("/")
    return "/" + prefix if prefix else ""


def make_environ(template, mount, flags, text, body):
    """
    :param mount: from mount_point
    :param text: environ as in frame REQUEST
    :param body: the body, or with flag BODY_FILE the path of its file
    :raises OSError: when the file cannot be read
    """
    environ = template.copy()
    fields = iter(text.split("\0"))
    environ.update(zip(fields, fields))
    environ["RAW_URI"] = environ["REQUEST_URI"]
    path = environ["PATH_INFO"]
    if "%" in path:
        path = environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    if mount and (path == mount or path.startswith(mount + "/")):
        environ["SCRIPT_NAME"] = mount
        environ["PATH_INFO"] = path[len(mount) :]
    environ["wsgi.input"] = open(os.fsdecode(body), "rb") if flags & BODY_FILE else BytesIO(body)
    return environ
