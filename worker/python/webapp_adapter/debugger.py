"""Development: Werkzeug's traceback page around an application in debug mode, as `flask run --debug` shows it."""

import os
import sys


def with_debugger(app):
    """:returns: `app`, inside the debugger when its debug mode is on and Werkzeug is there"""
    if not _is_debug(app):
        return app
    try:
        from werkzeug.debug import DebuggedApplication
    except ImportError:
        return app
    debugged = DebuggedApplication(app, evalex=True)
    if debugged.pin:
        print(f" * Debugger is active!\n * Debugger PIN: {debugged.pin}", file=sys.stderr)
    return debugged


def _is_debug(app):
    asked = os.environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")
    return getattr(app, "debug", None) is True or (asked and hasattr(app, "wsgi_app"))
