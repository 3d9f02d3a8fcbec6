"""For promises about traces: tells what of a trace context reaches the application."""

import time

from flask import Flask, abort, request

app = Flask(__name__)


@app.get("/")
def told():
    return {name: request.headers.get(name) for name in ("traceparent", "tracestate", "x-request-id")}


@app.get("/slow")
def slow():
    time.sleep(0.5)
    return told()


@app.get("/fail")
def fail():
    abort(500)
