import { describe, expect, test } from 'vitest';
import { FRAME, MAX_PAYLOAD } from '../../frames.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';

function frame(type: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(body.length, 0);
  header.writeUInt32BE(type * 0x1000000 + stream, 4);
  return Buffer.concat([header, body]);
}

function response(stream: number, head: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return frame(FRAME.RESPONSE, stream, Buffer.concat([length, Buffer.from(head + body)]));
}

/** What was told, with the pieces of one body joined: how it was cut on the way is nobody's business. */
class Told implements FrameSink {
  readonly lines: string[] = [];
  readonly reader = new FrameReader(this);

  onWhole(stream: number, data: Buffer, headAt: number, headEnd: number, bodyAt: number, bodyEnd: number): void {
    const [head, body] = [data.toString('latin1', headAt, headEnd), data.toString('latin1', bodyAt, bodyEnd)];
    this.lines.push(`${stream} head ${head}`);
    if (body !== '') this.lines.push(`${stream} body ${body}`);
    this.lines.push(`${stream} end`);
  }
  onBody(stream: number, piece: Buffer): void {
    const begun = this.lines.at(-1)?.startsWith(`${stream} body `);
    if (begun) this.lines.push(`${this.lines.pop()}${piece.toString('latin1')}`);
    else this.lines.push(`${stream} body ${piece.toString('latin1')}`);
  }
  onFrame(type: number, stream: number, data: Buffer, at: number, end: number): void {
    const text = data.toString('latin1', at, end);
    const name = type === FRAME.HEAD ? `head ${text}` : type === FRAME.END ? 'end' : `${type} ${text}`;
    this.lines.push(`${stream} ${name}`);
  }
  onInvalid(detail: string): void {
    this.lines.push(`invalid: ${detail}`);
  }
}

const SEQUENCE = Buffer.concat([
  frame(FRAME.ACCEPT, 1),
  frame(FRAME.HEAD, 1, '200 OK'),
  frame(FRAME.BODY, 1, 'first'),
  frame(FRAME.BODY, 1, ' second'),
  frame(FRAME.END, 1),
  response(2, '404 No\0A\0b', 'whole'),
  response(3, '204 No', ''),
  frame(FRAME.HEAD, 4, '200 OK\0A\0b'),
  frame(FRAME.BODY, 4, 'at once'),
  frame(FRAME.END, 4),
  frame(FRAME.ABORT, 0xffffff),
]);
const LINES = [
  `1 ${FRAME.ACCEPT} `,
  '1 head 200 OK',
  '1 body first second',
  '1 end',
  '2 head 404 No\0A\0b',
  '2 body whole',
  '2 end',
  '3 head 204 No',
  '3 end',
  '4 head 200 OK\0A\0b',
  '4 body at once',
  '4 end',
  `${0xffffff} ${FRAME.ABORT} `,
];

describe('frames are told the same, however they arrive', () => {
  test('at once', () => {
    const told = new Told();
    told.reader.take(SEQUENCE);
    expect(told.lines).toEqual(LINES);
  });

  test('cut in two at each byte', () => {
    for (let cut = 0; cut <= SEQUENCE.length; cut++) {
      const told = new Told();
      told.reader.take(SEQUENCE.subarray(0, cut));
      told.reader.take(SEQUENCE.subarray(cut));
      expect(told.lines).toEqual(LINES);
    }
  });

  test.each([1, 2, 3, 7, 13])('in chunks of %d', (bytes) => {
    const told = new Told();
    for (let at = 0; at < SEQUENCE.length; at += bytes) told.reader.take(SEQUENCE.subarray(at, at + bytes));
    expect(told.lines).toEqual(LINES);
  });
});

test('a response in one chunk is told as a whole', () => {
  const whole: number[] = [];
  const sink = Object.assign(new Told(), { onWhole: (stream: number) => whole.push(stream) });
  new FrameReader(sink).take(SEQUENCE);
  expect(whole).toEqual([2, 3, 4]);
});

test('a body passes on before all of its frame is there', () => {
  const told = new Told();
  told.reader.take(response(1, '200 OK', 'x'.repeat(100)).subarray(0, 60));
  expect(told.lines.at(-1)).toMatch(/^1 body x+$/);
});

describe('refuses', () => {
  test.each([
    ['a frame that is too long', frame(FRAME.BODY, 1).fill(0xff, 0, 4)],
    ['a long frame that is no body', Buffer.concat([header(FRAME.HEAD, 2 ** 21), Buffer.alloc(2 ** 20 + 9)])],
    ['a head longer than its response', badResponse()],
    ['a frame one byte too long', header(FRAME.BODY, MAX_PAYLOAD + 1)],
  ])('%s, and hears nothing more', (_name, bytes) => {
    const told = new Told();
    told.reader.take(bytes);
    told.reader.take(frame(FRAME.END, 1));
    expect(told.lines).toHaveLength(1);
    expect(told.lines[0]).toMatch(/^invalid: /);
  });

  test('nothing of the largest size that is allowed', () => {
    const told = new Told();
    told.reader.take(header(FRAME.BODY, MAX_PAYLOAD));
    told.reader.take(Buffer.alloc(MAX_PAYLOAD, 'x'));
    told.reader.take(frame(FRAME.END, 1));
    expect(told.lines[0]?.length).toBe('1 body '.length + MAX_PAYLOAD);
    expect(told.lines[1]).toBe('1 end');
  });
});

function header(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(type * 0x1000000 + 1, 4);
  return bytes;
}

function badResponse(): Buffer {
  const bytes = response(1, '200 OK', '');
  bytes.writeUInt32BE(100, 8);
  return bytes;
}
