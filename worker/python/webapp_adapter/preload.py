"""A preloaded parent: imports the application once and forks processes from there, which share its memory.

It serves nothing. The front asks for each process by a frame; the parent reaps its processes and tells how they ended.
When it dies its processes go on: each has a lifeline to the front of its own. When the front dies the parent leaves.
"""

import gc
import json
import os
import select
import signal
import sys
import threading

from .faults import log
from .frames import EXITED, FORK, FORKED, HEADER, HEADER_BYTES, STOP, frame

_READ_BYTES = 4096


class Parent:
    def __init__(self, control, run_child):
        """
        :param run_child: called in a new process with its id; does not return
        """
        self._control = control
        self._run_child = run_child
        self._children = {}
        self._unread = b""
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()

    def run(self):
        """Forks on demand until told to stop and the last child has ended, or the front is gone."""
        _warn_of_threads()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        # What is there now is never collected, so that no collection in a child writes to the pages it shares.
        gc.collect()
        gc.freeze()
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(self._wake_read, select.POLLIN)
        while self._children or not self._stopping:
            ready = dict(waiting.poll())
            if self._wake_read in ready:
                self._drain_wakes()
            if self._control.fileno() in ready:
                self._obey()
            self._reap()
        sys.exit(0)

    def stop(self):
        self._stopping = True

    def _drain_wakes(self):
        try:
            while os.read(self._wake_read, _READ_BYTES):
                pass
        except BlockingIOError:
            pass

    def _obey(self):
        try:
            data = self._control.recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            os._exit(1)  # the front is gone
        self._unread += data
        while len(self._unread) >= HEADER_BYTES:
            length, word = HEADER.unpack_from(self._unread)
            end = HEADER_BYTES + length
            if len(self._unread) < end:
                return
            payload = self._unread[HEADER_BYTES:end]
            self._unread = self._unread[end:]
            if word >> 24 == STOP:
                self.stop()
            elif word >> 24 == FORK:
                self._fork(int(payload))

    def _fork(self, child_id):
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(FORKED, {"id": child_id, "error": str(error)})
            return
        if pid == 0:
            self._become_child(child_id)
        self._children[pid] = child_id
        self._tell(FORKED, {"id": child_id, "pid": pid})

    def _become_child(self, child_id):
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._wake_read)
        os.close(self._wake_write)
        _reseed()
        self._run_child(child_id)

    def _reap(self):
        # Each by its own pid: the application may have started programs whose ends are its own to see.
        for pid, child_id in list(self._children.items()):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, None
            if ended == 0:
                continue
            del self._children[pid]
            code, signal_name = (None, None) if status is None else _ending(status)
            self._tell(EXITED, {"id": child_id, "pid": pid, "code": code, "signal": signal_name})

    def _tell(self, kind, told):
        try:
            self._control.sendall(frame(kind, 0, json.dumps(told).encode()))
        except OSError:
            os._exit(1)  # the front is gone


def _ending(status):
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code, None
    try:
        return None, signal.Signals(-code).name
    except ValueError:  # a real-time signal
        return None, f"SIG{-code}"


def _reseed():
    # Python's random reseeds itself after a fork; numpy's old generator does not: all processes would draw the same.
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _warn_of_threads():
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if names:
        log(
            "the application starts threads when it is imported (%s); with preload they run in the parent only:"
            " start them when they are first needed, or set preload to false" % ", ".join(names[:5])
        )
