import { expect, test } from 'vitest';
import { makeLog } from './log.ts';

test('a line is one JSON object; hostile text cannot begin another', () => {
  const lines: string[] = [];
  makeLog(
    (line) => lines.push(line),
    () => 0,
  )
    .with({ app: 'shop' })
    .warn('x\n{"level":"error"}', { path: '/\r\n' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('\n');
  expect(JSON.parse(lines[0] as string)).toEqual({
    time: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    msg: 'x\n{"level":"error"}',
    app: 'shop',
    path: '/\r\n',
  });
});

test('levels below the least are not written, and long values are cut', () => {
  const lines: string[] = [];
  const log = makeLog(
    (line) => lines.push(line),
    () => 0,
    'warn',
  );
  log.info('no');
  log.error('yes', { text: 'a'.repeat(100_000) });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.length).toBeLessThan(10_000);
});
