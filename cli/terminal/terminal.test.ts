import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ProxyStatus } from '../../core/status/proxy.ts';
import type { WorkerStatus } from '../../core/status/worker.ts';
import { makePaint, wantsColour } from './paint.ts';
import { accessText, readRecord, recordLines, visibleLine } from './program-line.ts';
import { type Output, Screen } from './screen.ts';
import { formatRate, RateMeter, type StackView, statusRows } from './status-row.ts';
import { cutTo, pad, widthOf } from './width.ts';

const plain = makePaint(false);
const coloured = makePaint(true);

describe('width', () => {
  test.each([
    ['shop', 4],
    ['\x1b[31mshop\x1b[39m', 4],
    ['日本', 4],
    ['🍵', 2],
    ['e\u0301', 1],
    ['', 0],
  ])('of %j', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['日本語', 4, '日…'],
    ['\x1b[31mabcdef\x1b[39m', 4, '\x1b[31mabc…\x1b[0m'],
    ['\x1b[31mab\x1b[39m', 4, '\x1b[31mab\x1b[39m'],
  ])('%j in %d columns', (text, columns, wanted) => {
    expect(cutTo(text, columns)).toBe(wanted);
    expect(widthOf(cutTo(text, columns))).toBeLessThanOrEqual(columns);
  });

  test('padding counts what is seen', () => {
    expect(pad('\x1b[31ma\x1b[39m', 3)).toBe('\x1b[31ma\x1b[39m  ');
  });
});

test.each<[string, boolean, Record<string, string>, boolean, boolean]>([
  ['a terminal', false, {}, true, true],
  ['a pipe', false, {}, false, false],
  ['--no-color', true, { FORCE_COLOR: '1' }, true, false],
  ['NO_COLOR', false, { NO_COLOR: '1' }, true, false],
  ['FORCE_COLOR in a pipe', false, { FORCE_COLOR: '1' }, false, true],
  ['FORCE_COLOR=0', false, { FORCE_COLOR: '0' }, true, false],
  ['a dumb terminal', false, { TERM: 'dumb' }, true, false],
])('colours: %s', (_, noColor, shell, isTerminal, wanted) => {
  expect(wantsColour({ noColor }, shell, isTerminal)).toBe(wanted);
});

describe('the screen', () => {
  /** A terminal that knows just what Screen uses: up, carriage return, clear to the end, newline. */
  class FakeTerminal implements Output {
    isTTY = true;
    columns = 20;
    rows = 6;
    lines: string[] = [''];
    cursor = 0;
    writes = 0;
    write(text: string): void {
      this.writes++;
      for (const [part, up] of text.matchAll(/\x1b\[(\d+)A|\x1b\[J|\r|\n|[^\x1b\r\n]+/g)) {
        if (up !== undefined) this.cursor -= Number(up);
        else if (part === '\x1b[J') this.lines = [...this.lines.slice(0, this.cursor), ''];
        else if (part === '\n') this.lines[++this.cursor] ??= '';
        else if (part !== '\r') this.lines[this.cursor] += part;
      }
    }
    on(): void {}
    off(): void {}
    get shown(): string[] {
      return this.lines.slice(0, -1);
    }
  }

  test('lines scroll by above the rows', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, true);
    screen.stay(['status 1']);
    screen.flush();
    screen.line('one');
    screen.line('two');
    screen.flush();
    expect(terminal.shown).toEqual(['one', 'two', 'status 1']);
    screen.stay(['status 2', 'status 3']);
    screen.line('three');
    screen.flush();
    expect(terminal.shown).toEqual(['one', 'two', 'three', 'status 2', 'status 3']);
    screen.close();
    screen.close();
    expect(terminal.shown).toEqual(['one', 'two', 'three']);
  });

  test('rows are cut to the width and to the height', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, true);
    screen.stay(['a'.repeat(50), 'b', 'c', 'd', 'e', 'f']);
    screen.flush();
    expect(terminal.shown).toEqual([`${'a'.repeat(18)}…`, 'b', 'c', '… and 3 more']);
  });

  test('a terminal that tells its size as 0 has the usual one', () => {
    const terminal = new FakeTerminal();
    Object.assign(terminal, { columns: 0, rows: 0 });
    const screen = new Screen(terminal, true);
    screen.stay(['a'.repeat(100), 'b', 'c']);
    screen.flush();
    expect(terminal.shown).toEqual([`${'a'.repeat(78)}…`, 'b', 'c']);
  });

  test('rows that are as they were are not drawn again', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, true);
    screen.stay(['a']);
    screen.flush();
    screen.stay(['a']);
    screen.flush();
    expect(terminal.writes).toBe(1);
  });

  test('without a terminal there are only lines', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, false);
    screen.stay(['status']);
    screen.line('one');
    screen.close();
    expect(terminal.shown).toEqual(['one']);
  });
});

describe('the status row', () => {
  const worker = (processes: Partial<WorkerStatus['processes']>, waiting = 0): WorkerStatus =>
    ({
      processes: { desired: 3, ready: 3, busy: 0, starting: 0, draining: 0, ...processes },
      queue: { length: waiting, max: 500, oldestMs: 0 },
      requests: { inFlight: 0 },
    }) as WorkerStatus;
  const proxy = (errors = 0, inFlight = 0): ProxyStatus =>
    ({ requests: { byClass: { '5xx': errors }, inFlight } }) as unknown as ProxyStatus;
  const view = (changes: Partial<StackView>): StackView => ({
    name: 'shop',
    address: 'http://127.0.0.1:8000',
    phase: 'running',
    style: 'name0',
    worker: worker({}),
    proxy: proxy(),
    rate: 0,
    trouble: '',
    ...changes,
  });

  test.each<[string, Partial<StackView>, string]>([
    ['idle', {}, '3/3 ready · idle  0 req/s  0 errors'],
    ['busy', { worker: worker({ busy: 2 }), rate: 412.4 }, '3/3 ready · 2 busy  412 req/s  0 errors'],
    ['resizing', { worker: worker({ desired: 8, draining: 1 }) }, '3/8 ready · idle · 1 leaving  0 req/s  0 errors'],
    ['a queue', { worker: worker({ busy: 3 }, 12) }, '3/3 ready · 3 busy  12 waiting  0 req/s  0 errors'],
    ['one error', { proxy: proxy(1) }, '3/3 ready · idle  0 req/s  1 error'],
    ['trouble', { trouble: 'does not start' }, '3/3 ready · idle  0 req/s  0 errors  does not start'],
    ['no worker', { worker: undefined }, 'the worker does not answer  0 req/s  0 errors'],
    ['no proxy', { proxy: undefined }, '3/3 ready · idle  the proxy does not answer'],
    ['starting', { phase: 'starting', worker: undefined, proxy: undefined }, 'starting …'],
    ['draining', { phase: 'draining', proxy: proxy(0, 2) }, 'finishing 2 requests …'],
    ['drained', { phase: 'draining' }, 'stopping …'],
  ])('%s', (_, changes, wanted) => {
    expect(statusRows([view(changes)], plain)).toEqual([`shop  http://127.0.0.1:8000  ${wanted}`]);
    expect(statusRows([view(changes)], coloured).map(stripVTControlCharacters)).toEqual(
      statusRows([view(changes)], plain),
    );
  });

  test('columns are aligned', () => {
    const rows = statusRows([view({}), view({ name: 'a', address: '', phase: 'starting' })], plain);
    expect(rows[1]).toBe('a                            starting …');
  });

  test.each([
    [0, '0'],
    [0.04, '0'],
    [0.44, '0.4'],
    [3, '3'],
    [12.3, '12'],
    [9_999, '9999'],
    [12_345, '12.3k'],
  ])('rate %d', (rate, wanted) => {
    expect(formatRate(rate)).toBe(wanted);
  });

  test('the rate is that of the last two seconds', () => {
    const meter = new RateMeter(2_000);
    expect(meter.take(0, 100)).toBe(0);
    expect(meter.take(500, 150)).toBe(100);
    for (let at = 1_000; at <= 10_000; at += 500) meter.take(at, 150 + (at - 500) / 10);
    expect(meter.take(10_500, 1_150)).toBe(100);
    for (let at = 11_000; at <= 13_500; at += 500) meter.take(at, 1_150);
    expect(meter.take(14_000, 1_150)).toBe(0);
  });

  test('a program that began anew has no negative rate', () => {
    const meter = new RateMeter();
    meter.take(0, 1_000);
    expect(meter.take(500, 5)).toBe(0);
    expect(meter.take(1_000, 10)).toBe(10);
  });
});

describe('what the programs say', () => {
  const line = (level: string, msg: string, fields: object = {}): string =>
    JSON.stringify({ time: '2026-01-01T00:00:00.000Z', level, msg, ...fields });
  const lines = (text: string): string[] => {
    const record = readRecord(text);
    return record ? recordLines(record, plain) : ['not ours'];
  };

  test.each<[string, string, string[]]>([
    [
      'a warning',
      line('warn', 'process 2 was killed', { process: 2, pid: 7, cause: 'signal' }),
      ['! process 2 was killed'],
    ],
    ['fields', line('warn', 'slow', { ms: 3, path: '/x' }), ['! slow ms=3 path=/x']],
    [
      'a boot failure',
      line('error', 'the application does not start', {
        code: 'BOOT_FAILED',
        reason: 'no flask',
        mend: 'install flask',
        traceback: 'Traceback:\n  File\n',
      }),
      ['Traceback:', '  File', '✗ the application does not start: no flask', '  → install flask'],
    ],
    [
      'problems',
      line('error', 'refused', { problems: [{ field: 'a.b', value: '1', message: 'is bad', mend: 'write 2' }] }),
      ['✗ refused', '  a.b is 1: is bad', '    → write 2'],
    ],
    ['an application’s JSON', '{"level":"info","msg":"hello","time":"2026-01-01T00:00:00.000Z"}', ['not ours']],
    ['pino', '{"level":30,"time":1531171074631,"msg":"hello"}', ['not ours']],
    ['text', 'hello', ['not ours']],
    ['cut JSON', line('info', 'x').slice(0, -1), ['not ours']],
  ])('%s', (_, text, wanted) => {
    expect(lines(text)).toEqual(wanted);
  });

  test.each<[string, object, string | null]>([
    ['a request', { status: 200, ms: 1.234 }, 'GET /x 200 1.2 ms'],
    ['a slow one', { status: 504, ms: 30_000.1, fault: 'REQUEST_TIMEOUT' }, 'GET /x 504 30.0 s REQUEST_TIMEOUT'],
    ['one that left', { status: 0, ms: 20, gone: true }, 'GET /x client left 20 ms'],
  ])('the access log: %s', (_, fields, wanted) => {
    const entry = JSON.stringify({ time: '2026-01-01T00:00:00Z', method: 'GET', target: '/x', ...fields });
    expect(accessText(entry, plain)).toBe(wanted);
  });

  test('what is no access log is left alone', () => {
    expect(accessText('hello', plain)).toBeNull();
    expect(accessText('{"time":"x"', plain)).toBeNull();
    expect(accessText('{"time":"x"}', plain)).toBeNull();
  });

  test.each([
    ['10 %\r50 %\r100 %', '100 %'],
    ['windows\r', 'windows'],
    ['\x1b[31mred\x1b[0m\ttab', '\x1b[31mred\x1b[0m\ttab'],
    ['clear \x1b[2J\x1bc\x07\x9b2J', 'clear [2Jc2J'],
    ['plain', 'plain'],
  ])('a line of the application: %j', (text, wanted) => {
    expect(visibleLine(text)).toBe(wanted);
  });
});
