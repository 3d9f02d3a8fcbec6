// wsgiref.validate, the checker in Python's standard library, finds nothing to object to.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { BufferedRequest } from '../../slot.ts';
import { Trial, type TrialProcess } from './trial.ts';

let trial: Trial;
let app: TrialProcess;

beforeAll(async () => {
  const directory = fileURLToPath(new URL('fixtures', import.meta.url));
  // Its assertions are plain `assert`: -O would switch them off; warnings are errors, or they would be missed.
  trial = new Trial({ python: inject('python'), app: 'validated:app', directory, env: { PYTHONWARNINGS: 'error' } });
  app = await trial.start().ready();
});
afterAll(() => trial.close());

const body = Buffer.from('line one\nline two\nend');
const chunked = { method: 'POST', body, headers: ['Host', 'a', 'Transfer-Encoding', 'chunked'] };

test.each<[string, Partial<BufferedRequest>, string]>([
  ['GET', {}, '0 /'],
  ['GET of an odd path', { target: '/%2F%00/caf%C3%A9//;a=b?x=%20' }, '0 //\0/caf\xc3\xa9//;a=b'],
  ['GET without Host', { version: '1.0', host: '', headers: [] }, '0 /'],
  ['POST', { method: 'POST', body }, '21 /'],
  ['POST of nothing', { method: 'POST', body: Buffer.alloc(0) }, '0 /'],
  ['POST with a type', { method: 'POST', body, headers: ['Content-Type', 'a/b', 'Content-Length', '21'] }, '21 /'],
  ['POST chunked', chunked, '21 /'],
  ['PUT of a large body', { method: 'PUT', body: Buffer.alloc(1_000_000, 'x\n') }, '1000000 /'],
  ['HEAD', { method: 'HEAD' }, ''],
  ['OPTIONS *', { method: 'OPTIONS', target: '*' }, '0 '],
  ['DELETE', { method: 'DELETE', target: '/a' }, '0 /a'],
  ['write()', { target: '/?write' }, 'written and returned'],
  ['blocks', { target: '/?blocks' }, 'ab'],
  ['204', { target: '/?204' }, ''],
])('%s', async (_name, request, text) => {
  const before = trial.err.length;
  const answer = await app.ask(request);
  expect(trial.err.slice(before)).toBe('checked\nchecked too\n');
  expect(answer).toMatchObject({ status: text === '' && request.target === '/?204' ? 204 : 200, failed: '', text });
});

test('a body in a file', async () => {
  const bodyFile = join(trial.folder, 'body');
  writeFileSync(bodyFile, body);
  const answer = await app.ask({ method: 'POST', hasBody: true, bodyBytes: body.length, bodyFile });
  expect(answer).toMatchObject({ status: 200, text: '21 /' });
});

test('file_wrapper', async () => {
  expect((await app.ask({ target: '/?file' })).text).toContain('wsgiref.validate');
});
