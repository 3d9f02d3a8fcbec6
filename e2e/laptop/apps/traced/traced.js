// As traced.py.
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';

const app = express();
const told = (req) =>
  Object.fromEntries(['traceparent', 'tracestate', 'x-request-id'].map((name) => [name, req.get(name) ?? null]));

app.get('/', (req, res) => {
  res.json(told(req));
});
app.get('/slow', async (req, res) => {
  await sleep(500);
  res.json(told(req));
});
app.get('/fail', (_req, res) => {
  res.sendStatus(500);
});

export default app;
