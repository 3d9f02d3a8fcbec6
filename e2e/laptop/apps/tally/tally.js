// As tally.py: each run leaves a line in the file that TALLY names.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const tally = (req) => appendFileSync(process.env.TALLY, `${req.method} ${process.pid}\n`);

export default async function app(req, res) {
  const url = new URL(req.url, 'http://app');
  if (url.pathname === '/count') {
    tally(req);
    res.end('counted\n');
  } else if (url.pathname === '/die') {
    tally(req);
    process.kill(process.pid, 'SIGKILL');
  } else if (url.pathname === '/slow') {
    await sleep(Number(url.searchParams.get('seconds')) * 1000);
    res.end('slept\n');
  } else if (url.pathname !== '/hang') {
    res.writeHead(404).end();
  }
}
