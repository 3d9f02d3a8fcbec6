import { describe, expect, test } from 'vitest';
import { parseCommand } from './command-line.ts';
import { Failure } from './failure.ts';
import { LOOK_COMMANDS } from './look-command-line.ts';

const words = (text: string): string[] => text.split(' ').filter(Boolean);
const HERE = { kind: 'here' };
const cluster = (more = {}) => ({
  kind: 'cluster',
  context: undefined,
  kubeconfig: undefined,
  namespace: undefined,
  ...more,
});

test.each([
  ['status', { kind: 'status', name: undefined, output: 'table', where: HERE, noColor: false }],
  ['status shop -o json', { kind: 'status', name: 'shop', output: 'json', where: HERE }],
  ['top -A --no-color', { kind: 'top', where: cluster({ namespace: 'all' }), noColor: true }],
  [
    'top shop -n prod --output=yaml',
    { kind: 'top', name: 'shop', output: 'yaml', where: cluster({ namespace: 'prod' }) },
  ],
  ['status --context kind', { where: cluster({ context: 'kind' }) }],
  ['status --kubeconfig /k', { where: cluster({ kubeconfig: '/k' }) }],
  ['logs shop', { kind: 'logs', wanted: { tail: 100, sinceMs: undefined, from: undefined, follow: false } }],
  [
    'logs shop -f --tail 0 --since 1m30s -c proxy',
    { wanted: { tail: 0, sinceMs: 90_000, from: 'proxy', follow: true } },
  ],
  ['resize shop 8', { kind: 'resize', name: 'shop', size: { processes: 8, replicas: undefined } }],
  ['resize shop --replicas 0', { size: { processes: undefined, replicas: 0 } }],
  ['resize shop 2 --replicas 3 -n a', { size: { processes: 2, replicas: 3 }, where: cluster({ namespace: 'a' }) }],
  ['restart shop', { kind: 'restart', name: 'shop', where: HERE }],
])('%s', (text, wanted) => {
  expect(parseCommand(words(text))).toMatchObject(wanted);
});

test('started by kubectl, a cluster is meant', () => {
  expect(parseCommand(['status'], true)).toMatchObject({ where: cluster() });
  expect(parseCommand(['restart', 'shop'], true)).toMatchObject({ where: cluster() });
});

test.each([
  ['status a b', 'b is one name too many', 'give one, or none for all'],
  ['status -o text', '-o text is not known', 'write -o table, -o json or -o yaml'],
  ['status -A -n prod', '-A means every namespace', 'leave out -A, or the name and -n'],
  ['top shop -A', '-A means every namespace', 'leave out -A, or the name and -n'],
  ['top --contxt x', 'there is no option --contxt', 'did you mean --context?'],
  ['logs', 'which WebApp is not said', 'write webapp logs NAME; webapp status shows those there are'],
  ['logs shop x', 'x is one word too many', 'see webapp logs --help'],
  ['logs shop -c prox', '-c prox is not known', 'did you mean proxy?'],
  ['logs shop --tail 99999', '--tail 99999 is not a number from 0 to 5000', 'write such as --tail 100'],
  ['logs shop --since 5', '--since 5 is no duration', 'write such as --since 10m'],
  ['resize shop', 'how many is not said', 'write such as webapp resize shop 8'],
  ['resize shop 0', 'processes 0 is not a number from 1 to 256', 'write such as processes 8'],
  ['resize shop 2 3', '3 is one word too many', 'see webapp resize --help'],
  ['restart', 'which WebApp is not said', 'write webapp restart NAME; webapp status shows those there are'],
  ['resiz shop 3', 'there is no command resiz', 'did you mean resize?'],
])('%s is refused', (text, message, mend) => {
  const refused = (): unknown => parseCommand(words(text));
  expect(refused).toThrow(Failure);
  expect(refused).toThrow(expect.objectContaining({ code: 'USAGE', message, mend }));
});

describe('help', () => {
  test.each(LOOK_COMMANDS)('%s --help is about itself, and the help of all names it', (name) => {
    const own = parseCommand([name, '--help']);
    const all = parseCommand(['--help']);
    expect(own.kind === 'help' && own.text.startsWith(`webapp ${name}`)).toBe(true);
    expect(all.kind === 'help' && all.text).toContain(`  webapp ${name} `);
    const lines = own.kind === 'help' ? own.text.split('\n') : [];
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });
});
