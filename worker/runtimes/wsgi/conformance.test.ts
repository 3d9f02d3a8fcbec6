// The lines of PEP 3333 that servers get wrong, each against a real interpreter.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { BufferedRequest } from '../../slot.ts';
import { makeRequest } from './sample-request.ts';
import { Recorder, Trial, type TrialProcess, until } from './trial.ts';

let trial: Trial;
let app: TrialProcess;

beforeAll(async () => {
  const directory = fileURLToPath(new URL('fixtures', import.meta.url));
  trial = new Trial({ python: inject('python'), app: 'checklist:app', directory });
  app = await trial.start().ready();
});
afterAll(() => trial.close());

const get = (target: string, more: Partial<BufferedRequest> = {}) => app.ask({ target, ...more });
const post = (target: string, body: string, more: Partial<BufferedRequest> = {}) =>
  app.ask({ target, method: 'POST', body: Buffer.from(body), ...more });
const closed = async () => (await get('/closed')).json as unknown as string[];

describe('environ', () => {
  test('is a plain dict of what CGI and PEP 3333 name, and of the wsgi.* keys', async () => {
    const { json } = await get('/echo/a?b=c&d');
    expect(json).toMatchObject({
      dict: true,
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: '/echo/a',
      QUERY_STRING: 'b=c&d',
      REQUEST_URI: '/echo/a?b=c&d',
      RAW_URI: '/echo/a?b=c&d',
      SERVER_NAME: 'shop.example',
      SERVER_PORT: '8080',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_PORT: '4711',
      HTTP_HOST: 'shop.example:8080',
      'wsgi.version': '(1, 0)',
      'wsgi.url_scheme': 'http',
      'wsgi.multithread': false,
      'wsgi.multiprocess': true,
      'wsgi.run_once': false,
      'wsgi.input_terminated': true,
    });
    expect(json).not.toHaveProperty('CONTENT_TYPE');
    expect(json).not.toHaveProperty('CONTENT_LENGTH');
  });

  test('says https and no port of the client when a trusted proxy said so', async () => {
    const { json } = await get('/', { scheme: 'https', clientAddress: '203.0.113.9', host: 'shop.example' });
    expect(json).toMatchObject({
      'wsgi.url_scheme': 'https',
      REMOTE_ADDR: '203.0.113.9',
      REMOTE_PORT: '0',
      SERVER_PORT: '443',
    });
  });

  test.each([
    ['/caf%C3%A9', '/caf\xc3\xa9'],
    ['/a%2Fb%25', '/a/b%'],
    ['/a%00REMOTE_USER%00admin', '/a\0REMOTE_USER\0admin'],
    ['/bad%zz%', '/bad%zz%'],
    ['/%FF', '/\xff'],
    ['/raw\xe9%41', '/raw\xe9A'],
    ['//two', '//two'],
    ['/a+b', '/a+b'],
  ])('PATH_INFO of %s is decoded to bytes as latin-1', async (target, path) => {
    const { json } = await get(target);
    expect(json['PATH_INFO']).toBe(path);
    expect(json).not.toHaveProperty('REMOTE_USER');
  });

  test('a query is passed as it came', async () => {
    expect((await get('/?')).json['QUERY_STRING']).toBe('');
    expect((await get('/')).json['QUERY_STRING']).toBe('');
    expect((await get('/?a=%20?b')).json['QUERY_STRING']).toBe('a=%20?b');
  });

  test('repeated headers are joined by a comma, cookies by a semicolon, whatever their case', async () => {
    const headers = ['X-Tag', 'a', 'Cookie', 'a=1', 'x-tag', 'b', 'cookie', 'b=2', 'X-TAG', 'c'];
    expect((await get('/', { headers })).json).toMatchObject({ HTTP_X_TAG: 'a,b,c', HTTP_COOKIE: 'a=1; b=2' });
  });

  test('names with an underscore and Proxy do not arrive', async () => {
    const headers = [
      'X_Forwarded_For',
      '1',
      'Proxy',
      'http://evil',
      'HTTP_COOKIE',
      'a=1',
      'CONTENT_TYPE',
      'x',
      'Cookie',
      'b=2',
    ];
    const { json } = await get('/', { headers });
    expect(json).toMatchObject({ HTTP_COOKIE: 'b=2' });
    for (const key of ['HTTP_PROXY', 'HTTP_X_FORWARDED_FOR', 'CONTENT_TYPE', 'HTTP_HTTP_COOKIE'])
      expect(json).not.toHaveProperty(key);
  });

  test('a header is latin-1', async () => {
    expect((await get('/', { headers: ['X-Name', 'caf\xe9 \xff'] })).json['HTTP_X_NAME']).toBe('caf\xe9 \xff');
  });

  test('CONTENT_TYPE and CONTENT_LENGTH have no HTTP_', async () => {
    const headers = ['Content-Type', 'text/x', 'Content-Length', '5'];
    const { json } = await post('/', 'hello', { headers });
    expect(json).toMatchObject({ CONTENT_TYPE: 'text/x', CONTENT_LENGTH: '5', body: 'hello' });
    expect(json).not.toHaveProperty('HTTP_CONTENT_LENGTH');
    expect(json).not.toHaveProperty('HTTP_CONTENT_TYPE');
  });

  test('a chunked body has become one of known length', async () => {
    const { json } = await post('/', 'hello', { headers: ['Transfer-Encoding', 'chunked'] });
    expect(json).toMatchObject({ CONTENT_LENGTH: '5', 'wsgi.input_terminated': true, body: 'hello' });
    expect(json).not.toHaveProperty('HTTP_TRANSFER_ENCODING');
  });

  test('Content-Length: 0 is not the same as none', async () => {
    expect((await post('/', '')).json['CONTENT_LENGTH']).toBe('0');
  });

  test('OPTIONS * has an empty path', async () => {
    const { json } = await get('*', { method: 'OPTIONS' });
    expect(json).toMatchObject({ PATH_INFO: '', REQUEST_URI: '*', SCRIPT_NAME: '', REQUEST_METHOD: 'OPTIONS' });
  });

  test('HTTP/1.0 without Host goes by where it was reached', async () => {
    const { json } = await get('/', { version: '1.0', host: '', headers: [] });
    expect(json).toMatchObject({ SERVER_PROTOCOL: 'HTTP/1.0', SERVER_NAME: '192.0.2.1', SERVER_PORT: '8000' });
    expect(json).not.toHaveProperty('HTTP_HOST');
  });

  test('what an application does to its environ does not reach the next request', async () => {
    const { json } = await get('/echo', { headers: ['X-Once', '1'] });
    expect(json['HTTP_X_ONCE']).toBe('1');
    expect((await get('/echo')).json).not.toHaveProperty('HTTP_X_ONCE');
  });
});

describe('wsgi.input', () => {
  const body = 'one\ntwo\nthree';
  test.each([
    ['sizes', ['one', '', '\ntwo\nthree', '', '']],
    ['lines', ['one\n', 'tw', 'o\n', 'three', '']],
    ['list', ['one\n', 'two\n', 'three']],
    ['hint', ['one\n']],
    ['iterate', ['one\n', 'two\n', 'three']],
  ])('read as %s ends where the body ends', async (how, parts) => {
    expect((await post(`/input?${how}`, body)).json).toEqual(parts);
    const bodyFile = join(trial.folder, 'body');
    writeFileSync(bodyFile, body);
    const fromFile = await get(`/input?${how}`, { method: 'POST', hasBody: true, bodyBytes: body.length, bodyFile });
    expect(fromFile.json).toEqual(parts);
  });

  test.each([1, 32 * 1024, 64 * 1024 - 1, 256 * 1024, 3_000_000])('a body of %d bytes arrives whole', async (bytes) => {
    const body = randomBytes(bytes);
    const echoed = await app.ask({ target: '/', method: 'POST', body });
    expect(Buffer.from(String(echoed.json['body']), 'latin1').equals(body)).toBe(true);
    expect(echoed.json['CONTENT_LENGTH']).toBe(`${bytes}`);
  });

  test('a body in a file arrives whole', async () => {
    const bodyFile = join(trial.folder, 'körper');
    writeFileSync(bodyFile, randomBytes(5_000_000));
    const sized = await get('/size', { method: 'POST', hasBody: true, bodyBytes: 5_000_000, bodyFile });
    expect(sized.text).toBe('5000000');
  });

  test('a file that is not there is a 500, and the next request is served', async () => {
    const gone = await get('/size', { method: 'POST', hasBody: true, bodyBytes: 1, bodyFile: '/nonexistent/body' });
    expect(gone.status).toBe(500);
    expect((await get('/size')).text).toBe('0');
  });
});

describe('start_response', () => {
  test('may be called during the first iteration', async () => {
    expect(await get('/late')).toMatchObject({ status: 201, reason: 'Created', text: 'late' });
  });

  test('that is never called is a 500', async () => {
    expect(await get('/never')).toMatchObject({ status: 500, text: 'Internal Server Error\n' });
  });

  test('called again without exc_info is an error', async () => {
    expect((await get('/twice')).status).toBe(500);
    expect(trial.err).toContain('a second call needs exc_info');
  });

  test('with exc_info replaces a head that has not gone', async () => {
    const replaced = await get('/replace');
    expect(replaced).toMatchObject({ status: 418, text: 'replaced' });
    expect(replaced.headers).toEqual(['X-Replaced', 'yes', 'Content-Length', '8']);
  });

  test('with exc_info raises it again when the head has gone, and the client is cut', async () => {
    const cut = await get('/reraise');
    expect(cut).toMatchObject({ status: 200, text: 'first', failed: 'aborted' });
    expect(trial.err).toContain('ValueError: too late');
    expect(await closed()).toContain('reraise');
  });

  test('returns a write() whose data comes before the iterable', async () => {
    expect(await get('/write')).toMatchObject({ status: 200, text: 'one two three', failed: '' });
    expect(await get('/writeonly')).toMatchObject({ status: 200, text: 'written', failed: '' });
  });

  test('a write() kept beyond its request harms no other', async () => {
    expect((await get('/kept')).text).toBe('kept');
    expect((await get('/kept')).text).toBe('RuntimeError');
  });

  test.each([
    'status-int',
    'status-short',
    'status-words',
    'status-inform',
    'status-newline',
    'name-space',
    'name-empty',
    'name-colon',
    'name-newline',
    'name-bytes',
    'value-cr',
    'value-lf',
    'value-nul',
    'value-int',
    'value-bytes',
    'value-wide',
    'length-words',
    'length-negative',
    'length-two',
  ])('refuses %s', async (name) => {
    const refused = await get(`/bad?${name}`);
    expect(refused).toMatchObject({ status: 500, failed: '' });
    expect(refused.headers.join()).not.toMatch(/evil/i);
  });
});

describe('body', () => {
  test.each(['list', 'blanks', 'generator'])('an empty %s still sends the head', async (kind) => {
    const empty = await get(`/empty?${kind}`);
    expect(empty).toMatchObject({ status: 200, text: '', told: ['whole'] });
    expect(empty.all('x-seen')).toEqual(['yes']);
    expect(empty.all('content-length')).toEqual(['0']);
  });

  test('of one block in a list goes as one frame with its length', async () => {
    const one = await get('/big?1000');
    expect(one.told).toEqual(['whole']);
    expect(one.all('content-length')).toEqual(['1000']);
  });

  test('of a sized iterable of one block has its length too, and close() is called', async () => {
    const one = await get('/one');
    expect(one.text).toBe('only block');
    expect(one.all('content-length')).toEqual(['10']);
    expect(await closed()).toContain('one');
  });

  test.each(['list', 'tuple'])('of a %s is joined', async (kind) => {
    expect(await get(`/pair?${kind}`)).toMatchObject({ text: 'onetwo', told: ['whole'] });
  });

  test('in blocks has no made-up length', async () => {
    const streamed = await get('/stream');
    expect(streamed.text).toBe('block0 block1 block2 ');
    expect(streamed.all('content-length')).toEqual([]);
  });

  test('each block has gone before the next is asked for', async () => {
    const gate = join(trial.folder, 'gate');
    const recorder = new Recorder();
    app.slot.send(makeRequest({ target: `/steps?${gate}` }), recorder);
    await until(() => recorder.text === 'first');
    expect(recorder.ended).toBe(false);
    writeFileSync(gate, '');
    await until(() => recorder.ended);
    expect(recorder).toMatchObject({ text: 'firstsecond', failed: '' });
  });

  test.each([100_000, 8_000_000, 40_000_000])('of %d bytes arrives whole', async (bytes) => {
    const big = await get(`/big?${bytes}`);
    expect(big.body.length).toBe(bytes);
    expect(big).toMatchObject({ status: 200, failed: '' });
    expect(big.all('content-length')).toEqual([`${bytes}`]);
  });

  test('in blocks beyond the largest frame arrives whole', async () => {
    expect((await get('/bigblocks?17000000')).body.length).toBe(34_000_000);
  });

  test.each(['list', 'blocks'])('a %s shorter than Content-Length is cut', async (form) => {
    expect(await get(`/length?10&8&${form}`)).toMatchObject({ status: 200, text: 'yyyyyyyy', failed: 'aborted' });
    expect(trial.err).toContain('the application gave 8 bytes, less than its Content-Length of 10');
  });

  test.each(['list', 'blocks'])('a %s longer than Content-Length is cut off there', async (form) => {
    const long = await get(`/length?6&20&${form}`);
    expect(long).toMatchObject({ text: 'yyyyyy', failed: '' });
    expect(long.all('content-length')).toEqual(['6']);
  });

  test.each(['list', 'blocks'])('a %s as long as Content-Length passes', async (form) => {
    expect(await get(`/length?8&8&${form}`)).toMatchObject({ text: 'yyyyyyyy', failed: '' });
  });

  test('that is text is a 500 that says so', async () => {
    expect((await get('/text')).status).toBe(500);
    expect(trial.err).toContain('the body must be bytes, not str');
  });

  test('that is None is a 500', async () => {
    expect((await get('/none')).status).toBe(500);
  });

  test.each(['204 No Content', '304 Not Modified'])('of %s does not go out, and close() is called', async (status) => {
    const before = (await closed()).length;
    const bare = await get(`/nobody?${status}`);
    expect(bare).toMatchObject({ status: Number(status.slice(0, 3)), text: '', failed: '' });
    expect(bare.all('content-length')).toEqual(status.startsWith('204') ? [] : ['4']);
    expect((await closed()).slice(before)).toEqual(['nobody']);
  });
});

describe('HEAD', () => {
  const head = (target: string) => get(target, { method: 'HEAD' });

  test('runs the application, keeps its Content-Length and sends no body', async () => {
    const answer = await head('/length?8&8&blocks');
    expect(answer).toMatchObject({ status: 200, text: '', failed: '' });
    expect(answer.all('content-length')).toEqual(['8']);
  });

  test('has the length that GET would have', async () => {
    const answer = await head('/big?1000');
    expect(answer.text).toBe('');
    expect(answer.all('content-length')).toEqual(['1000']);
  });

  test('of an application that leaves the body out has no length', async () => {
    expect((await head('/empty?list')).all('content-length')).toEqual([]);
  });

  test('does not walk through an endless body, and closes it', async () => {
    expect(await head('/endless')).toMatchObject({ status: 200, text: '', failed: '' });
    expect(await closed()).toContain('endless');
  });

  test('of an application that fails has no body either', async () => {
    const failed = await head('/raise');
    expect(failed).toMatchObject({ status: 500, text: '' });
    expect(failed.all('content-length')).toEqual(['22']);
  });

  test('with write() sends none of it', async () => {
    expect(await head('/write')).toMatchObject({ status: 200, text: '', failed: '' });
  });
});

describe('response headers', () => {
  test('hop-by-hop fields are taken out, cookies stay apart', async () => {
    const answer = await get('/headers');
    expect(answer).toMatchObject({ status: 200, reason: 'All\tRight' });
    expect(answer.headers).toEqual([
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'X-Latin',
      'caf\xe9',
      'X-Empty',
      '',
      'Content-Length',
      '2',
    ]);
  });

  test('early hints go before the head, and are dropped after it', async () => {
    const hinted = await get('/hints');
    expect(hinted.told).not.toContain('failed');
    expect(hinted.informed).toEqual([{ status: 103, headers: ['Link', '</style.css>; rel=preload'] }]);
    expect(hinted.text).toBe('hinted');
  });
});

describe('file_wrapper', () => {
  const whole = Buffer.alloc(2 ** 20, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));

  test('sends the file from where it stands, and closes it once', async () => {
    const before = (await closed()).length;
    const sent = await get('/file?1000&&same');
    expect(sent.body.equals(whole.subarray(1000))).toBe(true);
    expect((await closed()).slice(before)).toEqual(['file']);
  });

  test('sends no more than Content-Length', async () => {
    expect((await get('/file?10&300000&same')).body.equals(whole.subarray(10, 300_010))).toBe(true);
  });

  test('is cut when the file is shorter than Content-Length', async () => {
    expect((await get(`/file?0&${whole.length + 1}&same`)).failed).toBe('aborted');
  });

  test('is only taken when it is what the application returns', async () => {
    const changed = await get('/file?0&&changed');
    const expected = Buffer.concat(
      Array.from({ length: 256 }, (_, block) =>
        Buffer.from(whole.subarray(block * 4096, (block + 1) * 4096)).reverse(),
      ),
    );
    expect(changed.body.equals(expected)).toBe(true);
  });

  test('takes what is no file of the system', async () => {
    expect((await get('/memoryfile')).text).toBe('in memory');
  });
});

describe('errors', () => {
  test.each(['plain', 'started', 'exit', 'interrupt', 'base'])(
    '%s in the application is a 500, and the process serves on',
    async (kind) => {
      const pid = (await get('/pid')).text;
      const failed = await get(`/raise?${kind}`);
      expect(failed).toMatchObject({ status: 500, text: 'Internal Server Error\n', told: ['whole'] });
      expect((await get('/pid')).text).toBe(pid);
    },
  );

  test('are told on stderr with the request and the application’s own frames', async () => {
    const before = trial.err.length;
    await get('/raise?told');
    const told = trial.err.slice(before);
    expect(told).toContain('Error handling request GET /raise?told\nTraceback (most recent call last):\n');
    expect(told).toContain('ValueError: broken on purpose');
    expect(told).not.toContain('webapp_adapter');
  });

  test('after the head cut the client, and close() is called', async () => {
    expect(await get('/raiselate')).toMatchObject({ status: 200, text: 'begun', failed: 'aborted' });
    expect((await closed()).filter((name) => name === 'raiselate')).toHaveLength(1);
  });

  test('before the first block are a 500, and close() is called', async () => {
    expect((await get('/raisefirst')).status).toBe(500);
    expect((await closed()).filter((name) => name === 'raisefirst')).toHaveLength(1);
  });

  test('in close() do not spoil a response that is whole', async () => {
    expect(await get('/raiseclose')).toMatchObject({ status: 200, text: 'whole', failed: '' });
    expect(trial.err).toContain('broken close');
    expect((await closed()).filter((name) => name === 'raiseclose')).toHaveLength(1);
  });

  test('wsgi.errors is stderr, and what is printed is seen at once', async () => {
    await get('/errors');
    expect(trial.err).toContain('a line for wsgi.errors\ntwo parts\n');
    expect(trial.out).toContain('a line for stdout\n');
  });
});

describe('accept handshake', () => {
  test('says accepted before anything else, when it is wanted', async () => {
    expect((await post('/', 'x', { wantAccept: true })).told).toEqual(['accepted', 'whole']);
    expect((await get('/')).told).toEqual(['whole']);
  });
});

describe('a client that goes', () => {
  test('ends the iteration; close() is called and the slot is free', async () => {
    const recorder = new Recorder();
    app.slot.send(makeRequest({ target: '/endless' }), recorder);
    await until(() => recorder.body.length > 100_000);
    app.slot.cancel();
    const heard = recorder.told.length;
    await until(() => recorder.ended);
    expect(recorder.told.slice(heard)).toEqual(['end']);
    expect(await closed()).toContain('endless');
  });

  test('while reading is paused still frees the slot', async () => {
    const recorder = new Recorder();
    app.slot.send(makeRequest({ target: '/endless' }), recorder);
    await until(() => recorder.body.length > 100_000);
    app.slot.pause();
    app.slot.cancel();
    await until(() => recorder.ended);
    expect((await get('/pid')).status).toBe(200);
  });

  test('is seen by webapp.client_disconnected', async () => {
    const recorder = new Recorder();
    app.slot.send(makeRequest({ target: '/watch' }), recorder);
    await until(() => recorder.text === 'watching');
    app.slot.cancel();
    await until(() => recorder.ended);
    expect(await closed()).toContain('watched False True');
  });

  test('whose cancel crosses the end does not cancel the next request', async () => {
    for (let round = 0; round < 50; round++) {
      const recorder = new Recorder();
      app.slot.send(makeRequest({ target: '/stream' }), recorder);
      app.slot.cancel();
      await until(() => recorder.ended);
      expect((await get('/stream')).text).toBe('block0 block1 block2 ');
    }
  });
});

describe('backpressure', () => {
  test('a response that is not read makes the application wait', async () => {
    const recorder = new Recorder();
    app.slot.send(makeRequest({ target: '/endless' }), recorder);
    await until(() => recorder.body.length > 0);
    app.slot.pause();
    const state = () => /State:\s+(\w)/.exec(readStatus(app.pid))?.[1];
    await until(() => state() === 'S');
    app.slot.resume();
    app.slot.cancel();
    await until(() => recorder.ended);
  });
});

function readStatus(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}
