import { expect, test } from 'vitest';
import { ProblemsError } from '../core/errors.ts';
import { type Flags, parseFlags, USAGE } from './flags.ts';

const run = (...args: string[]): Flags => {
  const command = parseFlags(args, '1.2.3');
  if (typeof command === 'string' || !('run' in command)) throw new Error('not a run');
  return command.run;
};
const fieldsOf = (...args: string[]): string[] => {
  try {
    parseFlags(args, '1.2.3');
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems.map(({ field, mend }) => (mend === '' ? '' : field));
  }
  return [];
};

test('without flags it runs for all namespaces, with the proxy of its own version', () => {
  expect(run()).toEqual({
    settings: { proxyImage: 'webapp-proxy:1.2.3', clusterDomain: 'cluster.local', drainDelayMs: 5_000 },
    namespaces: [],
    leaseNamespace: undefined,
    identity: undefined,
    admin: { host: '127.0.0.1', port: 9100 },
    live: 'forwarded',
    concurrency: 10,
    statusIntervalMs: 30_000,
    resyncMs: 36_000_000,
    kubeconfig: undefined,
    context: undefined,
  });
  expect(run('run')).toEqual(run());
});

test('a namespace named twice is watched once', () => {
  expect(run('--namespaces', 'shop,blog,shop,').namespaces).toEqual(['shop', 'blog']);
});

test('what is no run', () => {
  expect(parseFlags(['crd'], '1')).toBe('crd');
  expect(parseFlags(['--help', '--nonsense-is-not-looked-at=no'].slice(0, 1), '1')).toBe('help');
  expect(parseFlags(['-v'], '1')).toBe('version');
  expect(parseFlags(['--dry-run', '-f', 'webapp.yaml', '--proxy-image', 'p:1'], '1')).toMatchObject({
    dryRun: { file: 'webapp.yaml', settings: { proxyImage: 'p:1' } },
  });
});

test.each([
  [['serve'], 'arguments'],
  [['run', 'more'], 'arguments'],
  [['--nonsense'], 'arguments'],
  [['--dry-run'], '--file'],
  [['--namespaces', 'Shop'], '--namespaces'],
  [['--admin', 'nowhere'], '--admin'],
  [['--live', 'everybody'], '--live'],
  [['--concurrency', '0'], '--concurrency'],
  [['--concurrency', 'many'], '--concurrency'],
  [['--drain-delay', '5'], '--drain-delay'],
  [['--status-interval', '25h'], '--status-interval'],
  [['--resync-interval', '0s'], '--resync-interval'],
])('%j is refused at %s, with the mend', (args, field) => {
  expect(fieldsOf(...args)).toEqual([field]);
});

test('all that is wrong is told at once', () => {
  expect(fieldsOf('--namespaces', 'A', '--concurrency', 'x', '--drain-delay', 'x')).toEqual([
    '--drain-delay',
    '--namespaces',
    '--concurrency',
  ]);
});

test('every flag is in the usage', () => {
  for (const flag of [
    'namespaces',
    'leader-election-namespace',
    'identity',
    'admin',
    'proxy-image',
    'cluster-domain',
    'drain-delay',
    'concurrency',
    'status-interval',
    'resync-interval',
    'kubeconfig',
    'context',
    'dry-run',
  ])
    expect(USAGE).toContain(`--${flag}`);
});
