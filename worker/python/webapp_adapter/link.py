"""Connections to the front, and the lifeline: when the front is gone, this process is gone, whatever it is doing."""

import fcntl
import os
import signal
import socket

from .frames import HELLO, frame

CONTROL = "control"
PARENT = "parent"

_links = []


def connect(settings, process_id, slot):
    """Connects to the front and says who calls. `slot`: CONTROL, or the number of the slot.

    :raises OSError: when the front is not there
    """
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(settings["socket"])
    link.sendall(frame(HELLO, 0, "\0".join((settings["token"], str(process_id), str(slot))).encode("latin-1")))
    _links.append(link)
    return link


def _drop_links():
    # A process that the application forks must not hold the connections: the front sees that this process has died by
    # their closing, and two processes on one connection would garble it.
    for link in _links:
        link.close()
    _links.clear()


os.register_at_fork(after_in_child=_drop_links)


def arm_lifeline(control):
    """Has the kernel end this process when the front's end of `control` closes, which is when the front dies.

    The front writes nothing on this connection, so the only thing that can happen on it is its end; for that the kernel
    sends the signal chosen here, SIGKILL, which needs neither the interpreter nor the GIL: it ends an endless loop, a
    sleep and a C call alike. Rejected: PR_SET_PDEATHSIG, which would also fire when the preloaded parent of a serving
    process dies; a watching thread, which never runs while C code holds the GIL and makes every fork() of the
    application one of a multi-threaded process. Where the signal cannot be chosen (not Linux), SIGIO calls Python code,
    which ends everything but a C call that does not return.
    """
    fcntl.fcntl(control, fcntl.F_SETOWN, os.getpid())
    if not _choose_signal(control):
        signal.signal(signal.SIGIO, lambda _signal, _frame: _leave_if_gone(control))
    fcntl.fcntl(control, fcntl.F_SETFL, fcntl.fcntl(control, fcntl.F_GETFL) | os.O_ASYNC)
    _leave_if_gone(control)  # it may have closed before the arming


def disarm_lifeline(control):
    fcntl.fcntl(control, fcntl.F_SETFL, fcntl.fcntl(control, fcntl.F_GETFL) & ~os.O_ASYNC)


def _choose_signal(control):
    try:
        fcntl.fcntl(control, fcntl.F_SETSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        return False
    return True


def _leave_if_gone(control):
    try:
        gone = control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        gone = False
    except OSError:
        gone = True
    if gone:
        os._exit(1)
