import { expect, test } from 'vitest';
import { readLastWords } from './last-words.ts';

const line = (fields: object): string => JSON.stringify({ time: 't', level: 'error', msg: 'cannot start', ...fields });

test.each([
  ['nothing', undefined, { text: '' }],
  ['lines of any program', 'one\n\ntwo\n', { text: 'one\ntwo' }],
  [
    'our line, without traceback',
    line({ code: 'USAGE', reason: 'no app', mend: 'name one' }),
    { code: 'USAGE', mend: 'name one', text: 'no app' },
  ],
  ['our line without a reason', line({}), { text: 'cannot start' }],
  [
    'the last error, not what came after it',
    `${line({ reason: 'first' })}\n${line({ reason: 'last' })}\nbye`,
    { text: 'last' },
  ],
  ['a line that is not an error', line({ level: 'info' }), { text: line({ level: 'info' }) }],
  ['a code that is none', line({ code: 'nope nope', reason: 'x' }), { text: 'x' }],
  ['JSON that is not ours', '[1]\n"x"', { text: '[1]\n"x"' }],
  ['a line that begins like ours', '{"level":', { text: '{"level":' }],
])('%s', (_name, message, wanted) => {
  expect(readLastWords(message)).toEqual(wanted);
});

test('of a line whose beginning was cut off, what is whole is kept', () => {
  const whole = line({
    traceback: `Traceback\n${'  File "x.py"\n'.repeat(400)}ImportError: flask`,
    code: 'BOOT_FAILED',
    mend: 'install it',
  });
  const words = readLastWords(`…${whole.slice(-2_000)}`);
  expect(words).toMatchObject({ code: 'BOOT_FAILED', mend: 'install it' });
  expect(words.text).toMatch(/File "x\.py"\nImportError: flask$/);
  expect(words.text.split('\n')).toHaveLength(12);
});

test('a flood is bounded', () => {
  expect(readLastWords('x'.repeat(100_000)).text.length).toBeLessThanOrEqual(1_500);
  expect(readLastWords(line({ reason: 'y'.repeat(100_000) })).text.length).toBeLessThanOrEqual(1_500);
});
