"""A small shop: what a first Flask application usually has."""

import hashlib
import os
import sqlite3
import tempfile
import time

from flask import Flask, Response, abort, g, jsonify, redirect, render_template, request, url_for

app = Flask(__name__)
app.config["DATABASE"] = os.environ.get("SHOP_DATABASE", os.path.join(tempfile.gettempdir(), "flask-shop.sqlite"))

GOODS = [("Teapot", 24.5), ("Cup", 6.0), ("Tray", 14.0)]


def db():
    if "db" not in g:
        g.db = sqlite3.connect(app.config["DATABASE"], timeout=10)
        g.db.row_factory = sqlite3.Row
    return g.db


@app.teardown_appcontext
def close_db(_error):
    connection = g.pop("db", None)
    if connection is not None:
        connection.close()


def create_tables():
    with sqlite3.connect(app.config["DATABASE"], timeout=10) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS goods (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL)")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, good INTEGER, amount INTEGER, name TEXT)"
        )
        connection.executemany("INSERT OR IGNORE INTO goods (name, price) VALUES (?, ?)", GOODS)


create_tables()


@app.get("/")
def index():
    goods = db().execute("SELECT * FROM goods ORDER BY name").fetchall()
    orders = db().execute(
        "SELECT orders.name AS buyer, amount, goods.name AS good FROM orders JOIN goods ON goods.id = good"
        " ORDER BY orders.id DESC LIMIT 5"
    ).fetchall()
    return render_template("index.html", goods=goods, orders=orders, process=os.getpid())


@app.get("/api/goods")
def goods_as_json():
    rows = db().execute("SELECT id, name, price FROM goods ORDER BY id").fetchall()
    return jsonify([dict(row) for row in rows])


@app.post("/orders")
def order():
    try:
        good, amount = int(request.form["good"]), int(request.form["amount"])
    except (KeyError, ValueError):
        abort(400, "good and amount must be numbers")
    with db() as connection:
        connection.execute(
            "INSERT INTO orders (good, amount, name) VALUES (?, ?, ?)",
            (good, amount, request.form.get("name", "somebody")),
        )
    return redirect(url_for("index"), code=303)


@app.post("/upload")
def upload():
    """Takes a form's file or a raw body; says what came, to the byte."""
    stream = request.files["file"].stream if "file" in request.files else request.stream
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(64 * 1024):
        digest.update(chunk)
        size += len(chunk)
    return jsonify(bytes=size, sha256=digest.hexdigest())


@app.get("/slow")
def slow():
    seconds = min(float(request.args.get("seconds", 1)), 3600)
    time.sleep(seconds)
    return f"This took {seconds:g} s.\n"


@app.get("/stream")
def stream():
    """A report that is sent line by line, as it is made."""
    lines = min(int(request.args.get("lines", 10)), 1000)

    def report():
        for number in range(lines):
            yield f"line {number}\n"
            time.sleep(0.1)

    return Response(report(), mimetype="text/plain")


@app.get("/download")
def download():
    """So many bytes, never all in memory."""
    size = min(int(request.args.get("bytes", 1024)), 8 * 1024**3)
    block = bytes(range(256)) * 1024

    def blocks():
        for offset in range(0, size, len(block)):
            yield block[: min(len(block), size - offset)]

    return Response(blocks(), mimetype="application/octet-stream", headers={"Content-Length": str(size)})


@app.get("/whoami")
def whoami():
    return jsonify(process=os.getpid(), address=request.remote_addr, scheme=request.scheme, host=request.host)


@app.get("/healthz")
def healthz():
    db().execute("SELECT 1")
    return "ok\n"
