"""What goes wrong in a request, told on stderr. One write a report, so that reports of several processes do not mix."""

import os
import sys
import traceback

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


def log(message):
    _write(f"webapp-worker: {message}\n")


def log_failure(environ, error):
    """Reports an exception that the application did not handle."""
    where = f"{environ.get('REQUEST_METHOD')} {environ.get('REQUEST_URI')}".encode("unicode_escape").decode("ascii")
    try:
        told = traceback_of(error)
    except Exception:  # such as no memory or no file descriptor left: telling of a failure must not be another
        told = f"{type(error).__name__}, whose traceback cannot be shown\n"
    _write(f"Error handling request {where}\n{told}")


def traceback_of(error):
    """:returns: the traceback as Python prints it, without the frames before the application's own"""
    return "".join(traceback.format_exception(type(error), error, _own_part(error.__traceback__)))


def _own_part(trace):
    own = trace
    while own is not None and _is_ours(own.tb_frame.f_code.co_filename):
        own = own.tb_next
    return own


def _is_ours(filename):
    return (
        filename.startswith(_OWN_FOLDER)
        or filename.startswith("<frozen importlib")
        or filename.endswith(os.path.join("importlib", "__init__.py"))
    )


def _write(text):
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # stderr is closed: there is nobody to tell
