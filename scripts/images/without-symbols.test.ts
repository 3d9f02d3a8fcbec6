import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withoutSymbols } from './without-symbols.ts';

const isElf = process.platform === 'linux';
const WHY = 'only Linux programs are ELF files';

test('Node without its symbols is smaller, loads native code, and names functions in its stacks', ({ skip }) => {
  skip(!isElf, WHY);
  const folder = mkdtempSync(join(tmpdir(), 'symbols-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'node');
  const whole = readFileSync(process.execPath);
  writeFileSync(program, withoutSymbols(whole), { mode: 0o755 });
  expect(statSync(program).size).toBeLessThan(whole.length * 0.9);
  const script = `const { DatabaseSync } = require('node:sqlite');
    const { v } = new DatabaseSync(':memory:').prepare('SELECT 42 AS v').get();
    function named() { return new Error().stack.split('\\n')[1].includes('named'); }
    console.log(process.version, v, named(), new Intl.NumberFormat('de').format(1.5));`;
  const said = execFileSync(program, ['-e', script], { encoding: 'utf8' });
  expect(said).toBe(`${process.version} 42 true 1,5\n`);
});

test('what is no such program is refused', () => {
  expect(() => withoutSymbols(Buffer.from('#!/bin/sh\necho nothing here is ELF\n'))).toThrow('not a 64-bit');
});

test('a file that is cut off is refused', ({ skip }) => {
  skip(!isElf, WHY);
  expect(() => withoutSymbols(readFileSync(process.execPath).subarray(0, 4096))).toThrow('cut off: 4096 of');
});
