"""Entry of one application process: `python main.py APP`, started by the worker's supervisor, never by hand.

What it must know besides APP comes as JSON in the environment variable WEBAPP_ADAPTER, which is removed before the
application is imported. The application's own modules may be called main, wsgi or frames: ours live in one package
whose name nobody takes, and this folder leaves sys.path before the application comes.
"""

import os
import sys


def run():
    settings = os.environ.pop("WEBAPP_ADAPTER", None)
    if settings is None:
        sys.exit("This is the Python side of webapp-worker, which starts it. Run: webapp-worker module:callable")
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.path.insert(0, folder)
    from webapp_adapter.process import run_process

    sys.path.remove(folder)
    run_process(settings)


if __name__ == "__main__":
    run()
