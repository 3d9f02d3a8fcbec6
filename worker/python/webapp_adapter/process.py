"""The life of one application process, in order: connect, arm the lifeline, import the application, serve, leave."""

import faulthandler
import gc
import json
import os
import platform
import signal
import sys
import threading

from .boot import BootError, load_app
from .frames import BOOTED, BOOT_FAILED, frame
from .link import CONTROL, arm_lifeline, connect, disarm_lifeline
from .serving import SlotServer
from .slot import Slot

EXIT_BOOT_FAILED = 3


def run_process(settings_json):
    """
    :param settings_json: {socket, token, id, app, threads, development}; the working directory is the application's
    """
    settings = json.loads(settings_json)
    faulthandler.enable()  # SIGABRT prints the stacks of all threads, then ends the process
    control = connect(settings, settings["id"], CONTROL)
    arm_lifeline(control)
    leaving = Leaving()
    app = boot(settings, control)
    serve(settings, control, app, settings["id"], leaving)


class Leaving:
    """SIGTERM from outside: finish what runs, then leave. The supervisor itself asks by the slots, not by a signal.

    Set before the application is imported, so that an application's own handler wins. SIGINT and SIGHUP go to a whole
    terminal group, the supervisor included, which decides; a handler that does nothing, because an ignored signal would
    stay ignored in the programs that the application starts.
    """

    def __init__(self):
        self._slots = None
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, lambda _signal, _frame: None)
        signal.signal(signal.SIGHUP, lambda _signal, _frame: None)

    def serve(self, slots):
        self._slots = slots

    def _leave(self, _signal, _frame):
        if self._slots is None:  # still importing: nothing to finish
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        for slot in self._slots:
            slot.finish()


def boot(settings, control):
    """Imports the application, or tells why not and exits."""
    _print_by_lines()
    sys.path.insert(0, os.getcwd())
    try:
        return _prepared(settings, load_app(settings["app"]))
    except BootError as error:
        failure = {"reason": error.reason, "mend": error.mend, "traceback": error.traceback}
        disarm_lifeline(control)
        control.sendall(frame(BOOT_FAILED, 0, json.dumps(failure).encode()))
        sys.exit(EXIT_BOOT_FAILED)


def _prepared(settings, app):
    if settings["development"]:
        from .debugger import with_debugger

        return with_debugger(app)
    return app


def _print_by_lines():
    # What the application prints is seen at once and in whole lines, though stdout is no terminal.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)


def serve(settings, control, app, process_id, leaving):
    """Connects the slots, says BOOTED, serves until all slots have ended, exits 0."""
    threads = settings["threads"]
    slots = [Slot(connect(settings, process_id, number)) for number in range(threads)]
    servers = [SlotServer(slot, app, threads) for slot in slots]
    # What the import made lives as long as the process: the collector need not walk over it again and again.
    gc.collect()
    gc.freeze()
    leaving.serve(slots)
    control.sendall(frame(BOOTED, 0, json.dumps(booted(settings)).encode()))
    if threads == 1:
        servers[0].run()  # in the main thread, where an application's signal handlers run
    else:
        _run_threads(servers)
    sys.exit(0)


def booted(settings):
    return {
        "pid": os.getpid(),
        "python": platform.python_version(),
        "threads": settings["threads"],
        "app": settings["app"],
    }


def _run_threads(servers):
    threads = [
        threading.Thread(target=server.run, name=f"slot-{number}", daemon=True) for number, server in enumerate(servers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
