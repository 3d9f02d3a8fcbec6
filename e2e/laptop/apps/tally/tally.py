"""For promises about requests that run once: each run leaves a line in the file that TALLY names."""

import os
import signal
import time

from flask import Flask, request

app = Flask(__name__)


def tally():
    with open(os.environ["TALLY"], "a") as file:
        file.write(f"{request.method} {os.getpid()}\n")


@app.route("/count", methods=["GET", "POST"])
def count():
    tally()
    return "counted\n"


@app.post("/die")
def die():
    tally()
    os.kill(os.getpid(), signal.SIGKILL)


@app.get("/hang")
def hang():
    while True:
        time.sleep(1)


@app.get("/slow")
def slow():
    time.sleep(float(request.args["seconds"]))
    return "slept\n"
