import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { variablesOf } from '../discover/dot-env.ts';
import { developmentVariables } from './development.ts';

test('variables of .env and .flaskenv, the shell’s own left alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'development-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, '.flaskenv'), 'FLASK_APP=x\nFLASK_RUN_PORT=1\nFLASK_DEBUG=1\nBOTH=flaskenv\nMINE=file\n');
  writeFileSync(join(folder, '.env'), 'BOTH=env\n');
  expect(developmentVariables([folder, '/not/there'], { MINE: 'shell' })).toEqual({ FLASK_DEBUG: '1', BOTH: 'env' });
});

test.each([
  ['A=1', { A: '1' }],
  ['export A = "x # y" # z', { A: 'x # y' }],
  ["A='b c'", { A: 'b c' }],
  ['A=b c # d', { A: 'b c' }],
  ['A=', { A: '' }],
  ['# A=1\nnonsense\n', {}],
  ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
])('%j', (text, wanted) => {
  expect(variablesOf(text)).toEqual(wanted);
});
