// `node --expose-gc bench/operator/listening.ts [--workers 1000] [--seconds 40]`: what it costs the operator to know how its workers are, by asking each of them
// again and again, or by listening to them. The workers are one played server in another process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import { makeLog } from '../../core/log.ts';
import { makePodReports } from '../../operator/webapp/reports.ts';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '40' },
    /** Set for the process that is measured: one each. */
    way: { type: 'string' },
  },
});
const workers = Math.min(20_000, Number(values.workers));

/** Milliseconds between two questions, and whether workers can be listened to. */
const WAYS: Readonly<Record<string, readonly [quietMs: number, news: boolean]>> = {
  'asked every 30 s': [30_000, false],
  'asked every 2 s': [2_000, false],
  'listened to': [30_000, true],
};

if (values.way !== undefined) await measure(values.way);
else
  for (const way of Object.keys(WAYS)) {
    const args = [...process.argv.slice(2), '--way', way];
    await once(fork(fileURLToPath(import.meta.url), args, { execArgv: ['--expose-gc'] }), 'exit');
  }

async function measure(way: string): Promise<void> {
  const [quietMs, news] = WAYS[way] ?? [0, false];
  const server = fork(fileURLToPath(new URL('played-workers.ts', import.meta.url)), news ? ['news'] : []);
  const [port] = (await once(server, 'message')) as [number];
  const reports = makePodReports({ log: makeLog(console.error, Date.now), clock: systemClock, quietMs });
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const keys = Array.from({ length: workers }, (_, index) => `scale/shop-${index}`);
  for (const key of keys)
    reports.want(key, [{ component: 'worker', pod: key, uid: key, ip: '127.0.0.1', port, configHash: 'h' }]);
  while (keys.some((key) => reports.of(key).length === 0)) await sleep(50);
  await sleep(5_000);
  const from = process.cpuUsage();
  await sleep(Number(values.seconds) * 1_000);
  const { user, system } = process.cpuUsage(from);
  globalThis.gc?.();
  const percent = (user + system) / 10_000 / Number(values.seconds);
  const mib = (process.memoryUsage.rss() - before) / 2 ** 20;
  console.log(`| ${workers} workers ${way} | ${percent.toFixed(1)} % of a CPU | ${mib.toFixed(0)} MiB |`);
  reports.close();
  server.kill();
}
