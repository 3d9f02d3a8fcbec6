// A slot against a process that does not keep to the protocol: what comes from it is as hostile as what comes from a client.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FRAME, REQUEST_FLAG } from '../../frames.ts';
import { EnvironWriter } from './environ.ts';
import { makeRequest } from './sample-request.ts';
import { ask, Recorder, until } from './trial.ts';
import { WsgiSlot } from './wsgi-slot.ts';

let folder: string;
let slot: WsgiSlot;
let process: Socket;
let received: Buffer;
let close: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slot-'));
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(join(folder, 's'));
  process = connect(join(folder, 's'));
  await until(() => accepted.length > 0);
  received = Buffer.alloc(0);
  process.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  slot = new WsgiSlot(accepted[0] as Socket, new EnvironWriter());
  slot.start(Buffer.alloc(0));
  close = () => {
    process.destroy();
    slot.destroy();
    server.close();
  };
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

function frame(type: number, stream: number, payload = ''): Buffer {
  const bytes = Buffer.alloc(8 + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeUInt32BE(type * 0x1000000 + stream, 4);
  bytes.write(payload, 8, 'latin1');
  return bytes;
}
const headOf = (text: string) => String.fromCharCode(0, 0, 0, text.length) + text;

async function send(request = makeRequest()): Promise<Recorder> {
  const recorder = new Recorder();
  const before = received.length;
  slot.send(request, recorder);
  await until(() => received.length > before);
  return recorder;
}

test('a request is one frame: flags, environ, body', async () => {
  await send(makeRequest({ method: 'HEAD', body: Buffer.from('body'), wantAccept: true }));
  const environBytes = received.readUInt32BE(9);
  expect(received.readUInt32BE(0)).toBe(received.length - 8);
  expect(received.readUInt32BE(4)).toBe(FRAME.REQUEST * 0x1000000 + 1);
  expect(received[8]).toBe(REQUEST_FLAG.WANT_ACCEPT | REQUEST_FLAG.HEAD_ONLY);
  expect(received.toString('latin1', 13, 13 + environBytes)).toMatch(/^REQUEST_METHOD\0HEAD\0/);
  expect(received.toString('latin1', 13 + environBytes)).toBe('body');
});

test('a file goes by its path', async () => {
  await send(makeRequest({ hasBody: true, bodyBytes: 9, bodyFile: '/tmp/ü' }));
  expect(received[8]).toBe(REQUEST_FLAG.BODY_FILE);
  expect(received.toString('utf8', 13 + received.readUInt32BE(9))).toBe('/tmp/ü');
});

describe('breaks off as invalid', () => {
  test.each<[string, Buffer]>([
    ['a frame of a type that a process does not send', frame(FRAME.REQUEST, 1)],
    ['a frame of no type', frame(200, 1)],
    ['a body before the head', frame(FRAME.BODY, 1, 'x')],
    ['an end before the head', frame(FRAME.END, 1)],
    ['a head without a status', frame(FRAME.HEAD, 1, '')],
    ['a head with a bad status', frame(FRAME.HEAD, 1, '20 OK')],
    ['a head with a 1xx', frame(FRAME.HEAD, 1, '101 Switching')],
    ['a whole response with a 1xx', frame(FRAME.RESPONSE, 1, headOf('100 Continue'))],
    ['a name without a value', frame(FRAME.HEAD, 1, '200 OK\0A')],
    ['a newline in a value', frame(FRAME.HEAD, 1, '200 OK\0A\0b\r\nSet-Cookie: x')],
    ['a control byte in a whole response', frame(FRAME.RESPONSE, 1, headOf('200 OK\0A\0\x1b[2J'))],
    ['two heads', Buffer.concat([frame(FRAME.HEAD, 1, '200 OK'), frame(FRAME.HEAD, 1, '200 OK')])],
    [
      'a response after a head',
      Buffer.concat([frame(FRAME.HEAD, 1, '200 OK'), frame(FRAME.RESPONSE, 1, headOf('200 OK'))]),
    ],
    ['a 200 as information', frame(FRAME.INFORM, 1, '200 OK')],
    ['a switch of protocols as information', frame(FRAME.INFORM, 1, '101 Switching')],
    ['information after a head', Buffer.concat([frame(FRAME.HEAD, 1, '200 OK'), frame(FRAME.INFORM, 1, '103 Hints')])],
  ])('%s', async (_name, bytes) => {
    const recorder = await send();
    process.write(bytes);
    await until(() => recorder.ended);
    expect(recorder.failed).toBe('invalid');
    await until(() => slot.isClosed);
    expect((await ask(slot)).failed).toBe('died');
  });
});

test('frames of a request that is over are dropped', async () => {
  process.write(frame(FRAME.END, 7));
  const first = await send();
  process.write(Buffer.concat([frame(FRAME.BODY, 99, 'stray'), frame(FRAME.RESPONSE, 1, `${headOf('200 OK')}one`)]));
  await until(() => first.ended);
  process.write(frame(FRAME.ABORT, 1));
  const second = await send();
  process.write(Buffer.concat([frame(FRAME.END, 1), frame(FRAME.RESPONSE, 2, `${headOf('200 OK')}two`)]));
  await until(() => second.ended);
  expect([first.text, second.text]).toEqual(['one', 'two']);
});

test('the next request may be sent while the end of the last is told', async () => {
  const second = new Recorder();
  const first = await send();
  first.onEnded = () => slot.send(makeRequest(), second);
  process.write(Buffer.concat([frame(FRAME.HEAD, 1, '200 OK'), frame(FRAME.END, 1), frame(FRAME.HEAD, 1, '200 OK')]));
  await until(() => first.ended);
  process.write(frame(FRAME.RESPONSE, 2, headOf('201 Created')));
  await until(() => second.ended);
  expect(second.status).toBe(201);
});

test('after cancel only the end is told, whatever comes', async () => {
  const recorder = await send();
  slot.cancel();
  slot.cancel();
  await until(() => received.subarray(-8).equals(frame(FRAME.CANCEL, 1)));
  process.write(
    Buffer.concat([frame(FRAME.ACCEPT, 1), frame(FRAME.INFORM, 1, '103 Hints'), frame(FRAME.HEAD, 1, '200 OK')]),
  );
  process.write(Buffer.concat([frame(FRAME.BODY, 1, 'x'), frame(FRAME.END, 1)]));
  await until(() => recorder.ended);
  expect(recorder.told).toEqual(['end']);
  expect(received.filter((byte) => byte === FRAME.CANCEL)).toHaveLength(1);
});

test('a whole response after cancel is an end', async () => {
  const recorder = await send();
  slot.cancel();
  process.write(frame(FRAME.RESPONSE, 1, `${headOf('200 OK')}x`));
  await until(() => recorder.ended);
  expect(recorder.told).toEqual(['end']);
});

test('cancel of a free slot is nothing', async () => {
  slot.cancel();
  const recorder = await send();
  expect(received[4]).toBe(FRAME.REQUEST);
  process.write(frame(FRAME.RESPONSE, 1, headOf('200 OK')));
  await until(() => recorder.ended);
});

test('paused, it tells nothing until it is resumed', async () => {
  const recorder = await send();
  process.write(frame(FRAME.HEAD, 1, '200 OK'));
  await until(() => recorder.told.includes('head'));
  slot.pause();
  const sent = new Promise((resolve) => process.write(frame(FRAME.BODY, 1, 'later'), resolve));
  await sent;
  expect(recorder.told).toEqual(['head']);
  slot.resume();
  await until(() => recorder.text === 'later');
});

test('the end of a paused response makes the slot read again', async () => {
  const recorder = await send();
  process.write(frame(FRAME.HEAD, 1, '200 OK'));
  await until(() => recorder.told.includes('head'));
  slot.pause();
  slot.cancel();
  process.write(frame(FRAME.END, 1));
  await until(() => recorder.ended);
  expect(slot.isPaused).toBe(false);
});

test('leaving while it serves, it half-closes after the end', async () => {
  let inputEnded = false;
  process.on('end', () => {
    inputEnded = true;
  });
  const recorder = await send();
  slot.leave();
  expect(inputEnded).toBe(false);
  process.write(frame(FRAME.RESPONSE, 1, `${headOf('200 OK')}last`));
  await until(() => inputEnded);
  expect(recorder.text).toBe('last');
  expect((await ask(slot)).failed).toBe('died');
});
