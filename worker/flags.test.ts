import { describe, expect, test } from 'vitest';
import { workerConfigSchema } from '../core/config/worker.ts';
import { FLAG_NAMES, parseCommand, type Settings, type Surroundings } from './flags.ts';

const surroundings: Surroundings = { cwd: '/srv/shop', port: undefined, webConcurrency: undefined };

const settingsOf = (args: string, more: Partial<Surroundings> = {}): Settings => {
  const command = parseCommand(args === '' ? [] : args.split(' '), { ...surroundings, ...more });
  if (command.kind !== 'run') throw new Error(`not a run: ${command.kind}`);
  return command.settings;
};
const configOf = (args: string, more?: Partial<Surroundings>) => {
  const { source } = settingsOf(args, more);
  if (!('config' in source)) throw new Error('not an application');
  return source.config;
};

describe('with a document', () => {
  test('every flag of ARCHITECTURE.md', () => {
    expect(
      settingsOf(
        '--config w.json --listen unix:/run/w.sock --admin 127.0.0.1:0 --directory app --drain-delay 5s --development --on-boot-error retry --exit-with-parent',
      ),
    ).toEqual({
      source: { file: '/srv/shop/w.json' },
      listen: { path: '/run/w.sock' },
      admin: { host: '127.0.0.1', port: 0 },
      directory: '/srv/shop/app',
      drainDelayMs: 5_000,
      development: true,
      onBootError: 'retry',
      exitWithParent: true,
    });
  });

  test('what is left out', () => {
    expect(settingsOf('--config /etc/w.json', { port: '9999' })).toEqual({
      source: { file: '/etc/w.json' },
      listen: { host: '127.0.0.1', port: 8000 },
      admin: null,
      directory: '/srv/shop',
      drainDelayMs: 0,
      development: false,
      onBootError: 'exit',
      exitWithParent: false,
    });
  });
});

describe("with gunicorn's flags", () => {
  test('the document that comes of them is valid', () => {
    for (const args of ['shop:app', 'server.js', '-w auto shop:app', '--timeout 0 --max-requests 5 shop:app']) {
      expect(workerConfigSchema.safeParse(configOf(args)).error).toBeUndefined();
    }
  });

  test('long forms', () => {
    const args =
      'shop:app --workers 3 --threads 2 --timeout 60 --graceful-timeout 10 --max-requests 1000 --max-requests-jitter 50' +
      ' --preload --chdir /srv/other --env A=1 --env B=x=y --backlog 64 --bind [::1]:9000 --name shop';
    expect(configOf(args)).toMatchObject({
      name: 'shop',
      app: 'shop:app',
      runtime: 'wsgi',
      processes: 3,
      threads: 2,
      timeouts: { requestMs: 60_000, gracefulMs: 10_000 },
      maxRequests: { count: 1000, jitter: 50 },
      preload: true,
      env: { A: '1', B: 'x=y' },
      queue: { max: 64 },
      trustForwarded: false,
    });
    expect(settingsOf(args)).toMatchObject({ listen: { host: '::1', port: 9000 }, directory: '/srv/other' });
  });

  test('short forms, glued and apart', () => {
    expect(configOf('-w4 -t 15 -e A=1 shop:app')).toMatchObject({
      processes: 4,
      timeouts: { requestMs: 15_000 },
      env: { A: '1' },
    });
    expect(settingsOf('-b :8080 shop:app').listen).toEqual({ host: '0.0.0.0', port: 8080 });
  });

  test("gunicorn's defaults: one process, one thread, 30 seconds, no recycling", () => {
    const config = configOf('shop:app');
    expect(config).toMatchObject({ processes: 1, threads: 1, timeouts: { requestMs: 30_000, gracefulMs: 30_000 } });
    expect(config.maxRequests).toBeUndefined();
  });

  test('no timeout means none that anybody meets, yet one that a timer holds', () => {
    const { requestMs } = configOf('--timeout 0 shop:app').timeouts;
    expect(requestMs).toBeGreaterThan(86_400_000);
    expect(requestMs).toBeLessThan(2 ** 31);
  });

  test('PORT and WEB_CONCURRENCY, unless the flags say otherwise', () => {
    const more = { port: '5000', webConcurrency: '6' };
    expect(settingsOf('shop:app', more).listen).toEqual({ host: '0.0.0.0', port: 5000 });
    expect(configOf('shop:app', more).processes).toBe(6);
    expect(settingsOf('-b 127.0.0.1:1 shop:app', more).listen).toEqual({ host: '127.0.0.1', port: 1 });
    expect(configOf('-w 2 shop:app', more).processes).toBe(2);
  });

  test('a JavaScript file is Node’s', () => {
    expect(configOf('server.js')).toMatchObject({ runtime: 'node', threads: 100 });
    expect(configOf('--runtime node app')).toMatchObject({ runtime: 'node' });
  });
});

describe('what cannot be understood names the flag and the mend', () => {
  test.each([
    ['', /Neither a document nor an application/, /--config worker\.json/],
    ['shop:app other:app', /"other:app"/, /one application/],
    ['--config w.json shop:app', /shop:app/, /Leave one/],
    ['--config w.json --workers 3', /--workers/, /document/],
    ['-c gunicorn.conf.py shop:app', /gunicorn\.conf\.py/, /flags/],
    ['--no-such shop:app', /--no-such/, /--help/],
    ['shop:app --workers', /--workers/, /--help/],
    ['-w many shop:app', /--workers many/, /--workers 4/],
    ['-w 0 shop:app', /--workers 0/, /./],
    ['--threads 5000 shop:app', /--threads 5000.*1024/, /./],
    ['-t soon shop:app', /--timeout soon/, /--timeout 30/],
    ['-e A shop:app', /--env A/, /NAME=VALUE/],
    ['-b 127.0.0.1 shop:app', /--listen.*127\.0\.0\.1/, /host:port/],
    ['--admin nowhere shop:app', /--admin.*nowhere/, /host:port/],
    ['--drain-delay 5 shop:app', /--drain-delay 5/, /5s/],
    ['--on-boot-error stay shop:app', /stay/, /exit or retry/],
    ['-k gevent shop:app', /gevent/, /--threads/],
    ['--reload shop:app', /--reload/, /webapp up --reload/],
    ['--worker-tmp-dir /dev/shm shop:app', /--worker-tmp-dir/, /heartbeat/],
    ['--access-logfile - shop:app', /--access-logfile/, /proxy/],
    ['--limit-request-line 8190 shop:app', /--limit-request-line/, /Leave it out/],
    ['--forwarded-allow-ips 10.0.0.1 shop:app', /10\.0\.0\.1/, /'\*'/],
    ['--limit-request-body lots shop:app', /lots/, /10Mi/],
    ['--runtime php app', /php/, /wsgi/],
  ])('%s', (args, reason, mend) => {
    let caught: unknown;
    try {
      settingsOf(args);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      code: 'USAGE',
      reason: expect.stringMatching(reason),
      mend: expect.stringMatching(mend),
    });
  });
});

test('help names every flag that is understood, and no other', () => {
  const command = parseCommand(['--help'], surroundings);
  if (command.kind !== 'help') throw new Error('no help');
  const named = [...command.text.matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual([...FLAG_NAMES].sort());
});

test('--version', () => {
  expect(parseCommand(['--version'], surroundings)).toEqual({ kind: 'version' });
});
