// A small shop: what a first Express application usually has.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import multer from 'multer';
import { WebSocketServer } from 'ws';

const db = new DatabaseSync(process.env.SHOP_DATABASE ?? join(tmpdir(), 'express-shop.sqlite'), { timeout: 10_000 });
db.exec(`
  CREATE TABLE IF NOT EXISTS goods (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL);
  CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, good INTEGER, amount INTEGER, name TEXT);
  INSERT OR IGNORE INTO goods (name, price) VALUES ('Teapot', 24.5), ('Cup', 6.0), ('Tray', 14.0);
`);

const app = express();
app.set('view engine', 'ejs');
app.set('views', join(import.meta.dirname, 'views'));
app.use('/static', express.static(join(import.meta.dirname, 'public')));
const upload = multer({ limits: { fileSize: 50 * 1024 * 1024 } });

app.get('/', (_req, res) => {
  const goods = db.prepare('SELECT * FROM goods ORDER BY name').all();
  const orders = db
    .prepare(
      'SELECT orders.name AS buyer, amount, goods.name AS good FROM orders JOIN goods ON goods.id = good ORDER BY orders.id DESC LIMIT 5',
    )
    .all();
  res.render('index', { goods, orders, process: process.pid });
});

app.get('/api/goods', (_req, res) => {
  res.json(db.prepare('SELECT id, name, price FROM goods ORDER BY id').all());
});

app.post('/orders', express.urlencoded({ extended: false }), (req, res) => {
  const good = Number(req.body?.good);
  const amount = Number(req.body?.amount);
  if (!Number.isInteger(good) || !Number.isInteger(amount)) {
    res.status(400).send('good and amount must be numbers');
    return;
  }
  db.prepare('INSERT INTO orders (good, amount, name) VALUES (?, ?, ?)').run(good, amount, req.body.name ?? 'somebody');
  res.redirect(303, '/');
});

// Takes a form's file or a raw body; says what came, to the byte.
app.post('/upload', upload.single('file'), async (req, res) => {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of req.file ? [req.file.buffer] : req) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  res.json({ bytes, sha256: digest.digest('hex') });
});

app.get('/slow', async (req, res) => {
  const seconds = Math.min(Number(req.query.seconds ?? 1), 3600);
  await sleep(seconds * 1000);
  res.type('text').send(`This took ${seconds} s.\n`);
});

// A report that is sent line by line, as it is made.
app.get('/stream', async (req, res) => {
  const lines = Math.min(Number(req.query.lines ?? 10), 1000);
  res.type('text');
  for (let number = 0; number < lines && !res.destroyed; number++) {
    res.write(`line ${number}\n`);
    await sleep(100);
  }
  res.end();
});

// So many bytes, never all in memory.
app.get('/download', async (req, res) => {
  const size = Math.min(Number(req.query.bytes ?? 1024), 8 * 1024 ** 3);
  const block = Buffer.alloc(256 * 1024, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  res.set('Content-Length', String(size)).type('application/octet-stream');
  for (let offset = 0; offset < size && !res.destroyed; offset += block.length) {
    if (!res.write(block.subarray(0, size - offset))) await Promise.race([once(res, 'drain'), once(res, 'close')]);
  }
  res.end();
});

app.get('/whoami', (req, res) => {
  res.json({ process: process.pid, address: req.ip, scheme: req.protocol, host: req.get('host') });
});

app.get('/healthz', (_req, res) => {
  db.prepare('SELECT 1').get();
  res.type('text').send('ok\n');
});

const server = createServer(app);

// Says back what it is told, with the process that said it.
const sockets = new WebSocketServer({ server, path: '/echo' });
sockets.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (message) => socket.send(`${process.pid}: ${message}`));
});

server.listen(process.env.PORT ?? 3000);
