"""The life of one application process, in order: connect, arm the lifeline, import the application, serve, leave."""

import faulthandler
import gc
import json
import os
import signal
import sys
import threading

from .boot import BootError, load_app
from .frames import BOOT_FAILED, BOOTED, frame
from .link import CONTROL, PARENT, arm_lifeline, connect, disarm_lifeline
from .serving import SlotServer
from .slot import Slot

_EXIT_BOOT_FAILED = 3


def run_process(settings_json):
    """
    :param settings_json: {socket, token, id, app, threads, development}, id a number or PARENT; the working directory
        is the application's
    """
    settings = json.loads(settings_json)
    faulthandler.enable()  # SIGABRT prints the stacks of all threads, then ends the process
    leaving = Leaving()
    try:
        control = connect(settings, settings["id"], CONTROL)
    except OSError as error:
        sys.exit(f"webapp-worker: there is no worker to serve for: {error}")
    arm_lifeline(control)
    app = _boot(settings, control)
    if settings["id"] == PARENT:
        _run_parent(settings, control, app, leaving)
    else:
        # What the import made lives as long as the process: the collector need not walk over it again and again.
        gc.collect()
        gc.freeze()
        _serve(settings, control, app, settings["id"], leaving)


class Leaving:
    """SIGTERM from outside: finish what runs, then leave. The front itself asks by the slots, not by a signal.

    Set before the application is imported, so that an application's own handler wins. SIGINT and SIGHUP go to a whole
    terminal group, the supervisor included, which decides; a handler that does nothing, because an ignored signal would
    stay ignored in the programs that the application starts.
    """

    def __init__(self):
        # What to do; None while the application is being imported: then there is nothing to finish.
        self.action = None
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, lambda _signal, _frame: None)
        signal.signal(signal.SIGHUP, lambda _signal, _frame: None)

    def _leave(self, _signal, _frame):
        if self.action is not None:
            self.action()
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


def _boot(settings, control):
    """Imports the application, or tells why it cannot be and exits."""
    _print_by_lines()
    sys.path.insert(0, os.getcwd())
    if settings["development"]:
        from .fresh import keep_no_fresh_bytecode  # what only few processes need is not loaded by all

        keep_no_fresh_bytecode()
    try:
        app = load_app(settings["app"])
    except BootError as error:
        failure = {"reason": error.reason, "mend": error.mend, "traceback": error.traceback}
        disarm_lifeline(control)
        control.sendall(frame(BOOT_FAILED, 0, json.dumps(failure).encode()))
        sys.exit(_EXIT_BOOT_FAILED)
    if not settings["development"]:
        return app
    from .debugger import with_debugger

    return with_debugger(app)


def _print_by_lines():
    # What the application prints is seen at once and in whole lines, though stdout is no terminal.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)


def _run_parent(settings, control, app, leaving):
    from .preload import Parent

    def run_child(child_id):
        leaving.action = None
        child_control = connect(settings, child_id, CONTROL)
        arm_lifeline(child_control)
        _serve(settings, child_control, app, child_id, leaving)

    disarm_lifeline(control)  # from now on frames come here
    parent = Parent(control, run_child)
    leaving.action = parent.stop
    _say_booted(settings, control)
    parent.run()


def _serve(settings, control, app, process_id, leaving):
    """Connects the slots, says BOOTED, serves until all slots have ended, exits 0."""
    threads = settings["threads"]
    slots = [Slot(connect(settings, process_id, number)) for number in range(threads)]
    servers = [SlotServer(slot, app, threads) for slot in slots]

    def finish_all():
        for slot in slots:
            slot.finish()

    leaving.action = finish_all
    _say_booted(settings, control)
    if threads == 1:
        servers[0].run()  # in the main thread, where an application's signal handlers run
    else:
        _run_threads(servers)
    sys.exit(0)


def _say_booted(settings, control):
    booted = {
        "pid": os.getpid(),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "threads": settings["threads"],
        "app": settings["app"],
    }
    control.sendall(frame(BOOTED, 0, json.dumps(booted).encode()))


def _run_threads(servers):
    threads = [
        threading.Thread(target=server.run, name=f"slot-{number}", daemon=True) for number, server in enumerate(servers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
