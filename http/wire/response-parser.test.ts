import { describe, expect, test } from 'vitest';
import type { RawHeaders } from '../exchange.ts';
import { ResponseParser } from './response-parser.ts';

/** What a consumer is left with, however the octets came. */
interface Outcome {
  informs?: [number, RawHeaders][];
  status?: number;
  reason?: string;
  headers?: RawHeaders;
  length?: number | null;
  body?: string;
  end: 'done' | 'invalid' | 'upgrade' | 'cut' | 'closed';
  reusable?: boolean;
  /** Octets behind the end. */
  rest?: string;
}

const LIMITS = { headBytes: 1024, headFields: 16 };

/** Feeds the pieces one after another, as reads into one buffer, then the end of input. */
function read(pieces: readonly Buffer[], method = 'GET', wantsUpgrade = false): Outcome {
  const parser = new ResponseParser(LIMITS);
  const outcome: Outcome = { end: 'cut' };
  const body: Buffer[] = [];
  parser.begin(method, wantsUpgrade, {
    onInform: (status, headers) => {
      outcome.informs = [...(outcome.informs ?? []), [status, headers]];
    },
    onHead: (status, reason, headers, length) => Object.assign(outcome, { status, reason, headers, length }),
    onData: (chunk) => body.push(chunk),
    onEnd: () => expect.fail('the parser answers; the connection tells'),
    onError: () => expect.fail('the parser answers; the connection tells'),
  });
  outcome.end = feed(parser, pieces, outcome);
  if (body.length > 0) outcome.body = Buffer.concat(body).toString('latin1');
  return outcome;
}

function feed(parser: ResponseParser, pieces: readonly Buffer[], outcome: Outcome): Outcome['end'] {
  const reads = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)));
  for (const [index, piece] of pieces.entries()) {
    piece.copy(reads);
    const answer = parser.feed(reads, 0, piece.length);
    // The next read overwrites what this one has left.
    if (answer === 'done' || answer === 'upgrade') {
      const rest = Buffer.concat([reads.subarray(parser.position, piece.length), ...pieces.slice(index + 1)]);
      if (rest.length > 0) outcome.rest = rest.toString('latin1');
      if (answer === 'done') outcome.reusable = parser.persistent;
      else outcome.headers = parser.headers;
    }
    if (answer !== 'more') return answer === 'stopped' ? 'cut' : answer;
    reads.fill('!');
  }
  return parser.endOfInput() ? 'closed' : 'cut';
}

/** Whole, octet by octet, and in two at every place. */
function splits(text: string): Buffer[][] {
  const bytes = Buffer.from(text, 'latin1');
  const halves = Array.from({ length: bytes.length }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  return [[bytes], Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)), ...halves];
}

function expectHoweverSplit(text: string, wanted: Outcome, method?: string, wantsUpgrade?: boolean): void {
  for (const pieces of splits(text)) expect(read(pieces, method, wantsUpgrade)).toEqual(wanted);
}

const OK = { status: 200, reason: 'OK', end: 'done', reusable: true } as const;

interface LegalCase {
  name: string;
  text: string;
  method?: string;
  wanted: Outcome;
}

const LEGAL: LegalCase[] = [
  {
    name: 'a length',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello',
    wanted: { ...OK, headers: ['Content-Length', '5', 'X', 'y'], length: 5, body: 'hello' },
  },
  {
    name: 'a length of 0',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    wanted: { ...OK, headers: ['Content-Length', '0'], length: 0 },
  },
  {
    name: 'chunks',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n',
    wanted: { ...OK, headers: ['Transfer-Encoding', 'chunked'], length: null, body: 'hello!' },
  },
  {
    name: 'chunks with hex in both cases, leading zeros, extensions and trailers (dropped)',
    text: 'HTTP/1.1 200 OK\r\nTRANSFER-encoding:\tChunked \r\n\r\n0a;a=b;c="d e"\r\n0123456789\r\nA\r\n0123456789\r\n00;z\r\nDigest: x\r\nY:\r\n\r\n',
    wanted: { ...OK, headers: ['TRANSFER-encoding', 'Chunked'], length: null, body: '01234567890123456789' },
  },
  {
    name: 'no chunk but the last',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    wanted: { ...OK, headers: ['Transfer-Encoding', 'chunked'], length: null },
  },
  {
    name: 'until close (RFC 9112 §6.3, 8)',
    text: 'HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello',
    wanted: { status: 200, reason: 'OK', headers: ['X', 'y'], length: null, body: 'hello', end: 'closed' },
  },
  {
    name: 'until close without a body',
    text: 'HTTP/1.0 200 OK\r\n\r\n',
    wanted: { status: 200, reason: 'OK', headers: [], length: null, end: 'closed' },
  },
  {
    name: 'HTTP/1.0 with a length: complete, not reusable whatever Connection says',
    text: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi',
    wanted: {
      ...OK,
      headers: ['Connection', 'keep-alive', 'Content-Length', '2'],
      length: 2,
      body: 'hi',
      reusable: false,
    },
  },
  {
    name: 'Connection: close among others',
    text: 'HTTP/1.1 200 OK\r\nConnection: foo, CLOSE\r\nContent-Length: 2\r\n\r\nhi',
    wanted: {
      ...OK,
      headers: ['Connection', 'foo, CLOSE', 'Content-Length', '2'],
      length: 2,
      body: 'hi',
      reusable: false,
    },
  },
  {
    name: 'a Connection option that only contains the word',
    text: 'HTTP/1.1 200 OK\r\nConnection: close-not\r\nContent-Length: 0\r\n\r\n',
    wanted: { ...OK, headers: ['Connection', 'close-not', 'Content-Length', '0'], length: 0 },
  },
  {
    name: 'HEAD: a length without a body',
    method: 'HEAD',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    wanted: { ...OK, headers: ['Content-Length', '5'], length: 0 },
  },
  {
    name: 'HEAD: chunked without a body',
    method: 'HEAD',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    wanted: { ...OK, headers: ['Transfer-Encoding', 'chunked'], length: 0 },
  },
  {
    name: '304: a length without a body',
    text: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    wanted: {
      status: 304,
      reason: 'Not Modified',
      headers: ['Content-Length', '5'],
      length: 0,
      end: 'done',
      reusable: true,
    },
  },
  {
    name: '204',
    text: 'HTTP/1.1 204 No Content\r\n\r\n',
    wanted: { status: 204, reason: 'No Content', headers: [], length: 0, end: 'done', reusable: true },
  },
  {
    name: '204 with framing: the server may believe that a body follows, so nothing more is asked of it',
    text: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n',
    wanted: {
      status: 204,
      reason: 'No Content',
      headers: ['Transfer-Encoding', 'chunked'],
      length: 0,
      end: 'done',
      reusable: false,
    },
  },
  {
    name: 'interim responses',
    text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    wanted: {
      ...OK,
      informs: [
        [100, []],
        [103, ['Link', '</a>']],
      ],
      headers: ['Content-Length', '1'],
      length: 1,
      body: 'x',
    },
  },
  {
    name: 'no reason, with and without the space before it',
    text: 'HTTP/1.1 100\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n',
    wanted: { ...OK, reason: '', informs: [[100, []]], headers: ['Content-Length', '0'], length: 0 },
  },
  {
    name: 'a status of an unknown class',
    text: 'HTTP/1.1 799 Whatever\r\nContent-Length: 0\r\n\r\n',
    wanted: {
      status: 799,
      reason: 'Whatever',
      headers: ['Content-Length', '0'],
      length: 0,
      end: 'done',
      reusable: true,
    },
  },
  {
    name: 'empty values, blanks around values, colons in values, octets beyond ASCII, repeated fields in order',
    text: 'HTTP/1.1 200 \xe9t\xe9\r\nA:\r\nB: \t x \t \r\nC:a:b\r\nA: \xff\r\nContent-Length:0\r\n\r\n',
    wanted: {
      ...OK,
      reason: '\xe9t\xe9',
      headers: ['A', '', 'B', 'x', 'C', 'a:b', 'A', '\xff', 'Content-Length', '0'],
      length: 0,
    },
  },
  {
    name: 'octets behind the end are not part of it',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n',
    wanted: { ...OK, headers: ['Content-Length', '1'], length: 1, body: 'x', rest: 'HTTP/1.1 200 OK\r\n' },
  },
  {
    name: 'octets behind the last chunk are not part of it',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nrest',
    wanted: { ...OK, headers: ['Transfer-Encoding', 'chunked'], length: null, body: 'x', rest: 'rest' },
  },
];

describe('a legal response reads the same however it is split', () => {
  test.each(LEGAL)('$name', ({ text, method, wanted }) => expectHoweverSplit(text, wanted, method));

  test('101 when an upgrade was asked for; what follows is not HTTP', () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello';
    expectHoweverSplit(text, { end: 'upgrade', headers: ['Upgrade', 'websocket'], rest: '\x81\x05hello' }, 'GET', true);
  });

  test('an upgrade that was refused is a response like any other', () => {
    const text = 'HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno';
    const headers = ['Upgrade', 'websocket', 'Content-Length', '2'];
    expectHoweverSplit(text, { ...OK, headers, length: 2, body: 'no' }, 'GET', true);
  });
});

const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`;
const chunked = (body: string): string => head('Transfer-Encoding: chunked') + body;

/** RFC 9112 section, what is wrong, octets. */
const INVALID_HEADS: [string, string, string][] = [
  ['2.3', 'another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['2.3', 'TLS', '\x15\x03\x01\x00\x02\x02\x28'],
  ['2.3', 'HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['2.3', 'HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['2.3', 'HTTP/0.9: no status line', '<html>\r\n</html>\r\n\r\n'],
  ['2.3', 'lower-case name', 'http/1.1 200 OK\r\n\r\n'],
  ['2.2', 'an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['4', 'two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['4', 'a tab before the status', 'HTTP/1.1\t200 OK\r\n\r\n'],
  ['4', 'two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['4', 'four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['4', 'a status that is no number', 'HTTP/1.1 2x0 OK\r\n\r\n'],
  ['4', 'a status with a sign', 'HTTP/1.1 +20 OK\r\n\r\n'],
  ['4', 'status 099', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['4', 'nothing but a version', 'HTTP/1.1\r\n\r\n'],
  ['4', 'NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['4', 'DEL in the reason', 'HTTP/1.1 200 O\x7fK\r\n\r\n'],
  ['2.2', 'bare LF after the status line', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
  ['2.2', 'bare CR in the status line', 'HTTP/1.1 200 O\rK\r\n\r\n'],
  ['2.2', 'bare LF after a field', 'HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n'],
  ['2.2', 'bare CR in a value', head('A: b\rc')],
  ['2.2', 'bare LF in a value', head('A: b\nContent-Length: 5')],
  ['2.2', 'bare LF at the end', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n'],
  ['2.2', 'CR without LF at the end', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\rx'],
  ['5.1', 'space before the colon', head('Content-Length : 0')],
  ['5.1', 'tab before the colon', head('Content-Length\t: 0')],
  ['5.1', 'no colon', head('Content-Length')],
  ['5.1', 'an empty name', head(': a')],
  ['5.1', 'a name that is no token', head('A(b): c')],
  ['5.1', 'a name beyond ASCII', head('\xc4: c')],
  ['5.2', 'obs-fold', head('A: b\r\n c')],
  ['5.2', 'obs-fold with a tab', head('A: b\r\n\tc')],
  ['5.2', 'a space before the first field', head(' A: b')],
  ['5.5 of RFC 9110', 'NUL in a value', head('A: b\0c')],
  ['5.5 of RFC 9110', 'ESC in a value', head('A: b\x1b[31mc')],
  ['6.1', 'an unknown coding', head('Transfer-Encoding: gzip')],
  ['6.1', 'chunked under another coding', head('Transfer-Encoding: gzip, chunked')],
  ['6.1', 'chunked not final', head('Transfer-Encoding: chunked, gzip')],
  ['6.1', 'chunked twice in one field', head('Transfer-Encoding: chunked, chunked')],
  ['6.1', 'chunked twice', head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked')],
  ['6.1', 'a coding and chunked in two fields', head('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked')],
  ['6.1', 'an empty coding', head('Transfer-Encoding:')],
  ['6.1', 'chunked with a parameter', head('Transfer-Encoding: chunked;a=b')],
  ['6.1', 'chunked spelt with a vertical tab', head('Transfer-Encoding: \x0bchunked')],
  ['6.1', 'chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['6.3', 'chunked and a length', head('Transfer-Encoding: chunked\r\nContent-Length: 5')],
  ['6.3', 'a length and chunked', head('Content-Length: 5\r\nTransfer-Encoding: chunked')],
  ['6.3', 'two lengths', head('Content-Length: 5\r\nContent-Length: 6')],
  ['6.3', 'the same length twice', head('Content-Length: 5\r\nContent-Length: 5')],
  ['6.3', 'a list of lengths', head('Content-Length: 5, 5')],
  ['6.3', 'an empty length', head('Content-Length:')],
  ['6.3', 'a negative length', head('Content-Length: -1')],
  ['6.3', 'a length with a sign', head('Content-Length: +5')],
  ['6.3', 'a hexadecimal length', head('Content-Length: 0x5')],
  ['6.3', 'a length with a point', head('Content-Length: 5.0')],
  ['6.3', 'a length past the safe integers', head('Content-Length: 9007199254740992')],
  ['6.3', 'a length of many digits', head(`Content-Length: ${'0'.repeat(20)}5`)],
  ['15.2 of RFC 9110', 'a coding on a 1xx', 'HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['15.2 of RFC 9110', 'a length on a 1xx', 'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n'],
  ['7.8 of RFC 9110', '101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['15.2 of RFC 9110', '1xx without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(40)],
];

const INVALID_CHUNKS: [string, string, string][] = [
  ['no size', '\r\n\r\n', ''],
  ['a size that is no number', 'x\r\n', ''],
  ['a size with 0x', '0x5\r\nhello\r\n', ''],
  ['a negative size', '-1\r\n', ''],
  ['a size with a sign', '+1\r\nx\r\n', ''],
  ['a space before the size', ' 5\r\nhello\r\n', ''],
  ['a space behind the size', '5 \r\nhello\r\n', ''],
  ['a size past the safe integers', '20000000000000\r\n', ''],
  ['a size of many digits', `${'0'.repeat(17)}5\r\nhello\r\n`, ''],
  ['bare LF behind the size', '5\nhello\r\n0\r\n\r\n', ''],
  ['CR without LF behind the size', '5\rhello\r\n0\r\n\r\n', ''],
  ['bare LF in an extension', '5;a\nhello\r\n0\r\n\r\n', ''],
  ['NUL in an extension', '5;a\0\r\nhello\r\n0\r\n\r\n', ''],
  ['more data than the size', '4\r\nhello\r\n0\r\n\r\n', 'hell'],
  ['less data than the size', '6\r\nhello\r\n0\r\n\r\n', 'hello\r'],
  ['bare LF behind the data', '5\r\nhello\n0\r\n\r\n', 'hello'],
  ['a second chunk without a size', '1\r\nx\r\n\r\n', 'x'],
  ['a trailer that is no field', '0\r\nfoo\r\n\r\n', ''],
  ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n', ''],
  ['bare LF at the end', '0\r\n\n', ''],
  ['a response where trailers stand', '0\r\nHTTP/1.1 200 OK\r\n\r\n', ''],
];

describe('what two readers could understand differently is refused however it is split', () => {
  test.each(INVALID_HEADS)('RFC 9112 §%s: %s', (_section, _name, text) => {
    for (const pieces of splits(text)) {
      const { end, status } = read(pieces);
      expect({ end, status }).toEqual({ end: 'invalid', status: undefined });
    }
  });

  test.each(INVALID_CHUNKS)('RFC 9112 §7.1: %s', (_name, body, delivered) => {
    for (const pieces of splits(chunked(body))) {
      const outcome = read(pieces);
      expect(outcome.end).toBe('invalid');
      expect(outcome.body ?? '').toBe(delivered);
    }
  });
});

describe('bounds', () => {
  const padded = (bytes: number): string => head(`Content-Length: 0\r\nX: ${'x'.repeat(bytes - 43)}`);

  test('a head of the greatest size passes, one octet more does not', () => {
    expect(padded(LIMITS.headBytes).length).toBe(LIMITS.headBytes);
    for (const pieces of splits(padded(LIMITS.headBytes))) expect(read(pieces).end).toBe('done');
    for (const pieces of splits(padded(LIMITS.headBytes + 1))) expect(read(pieces).end).toBe('invalid');
  });

  test('a head without end is refused at the bound, not gathered', () => {
    const parser = new ResponseParser(LIMITS);
    parser.begin('GET', false, { onInform() {}, onHead() {}, onData() {}, onEnd() {}, onError() {} });
    const piece = Buffer.alloc(100, 'x');
    let fed = 0;
    while (parser.feed(piece, 0, piece.length) === 'more') fed += piece.length;
    expect(fed).toBeLessThanOrEqual(LIMITS.headBytes);
  });

  test('the most fields pass, one more does not', () => {
    const fields = (count: number): string =>
      head(Array.from({ length: count }, (_, at) => `Content-Lengt${at}: 0`).join('\r\n'));
    expect(read([Buffer.from(fields(LIMITS.headFields))]).end).toBe('closed');
    expect(read([Buffer.from(fields(LIMITS.headFields + 1))]).end).toBe('invalid');
  });

  test('chunk extensions of a whole message are bounded', () => {
    const text = chunked(`1;${'e'.repeat(1000)}\r\nx\r\n`.repeat(20));
    expect(read([Buffer.from(text)]).end).toBe('invalid');
  });

  test('trailers are bounded', () => {
    expect(read([Buffer.from(chunked(`0\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`))]).end).toBe('invalid');
    expect(read([Buffer.from(chunked(`0\r\n${'A: x\r\n'.repeat(65)}\r\n`))]).end).toBe('invalid');
  });

  test('the greatest length is taken as it is', () => {
    const outcome = read([Buffer.from(head('Content-Length: 9007199254740991'))]);
    expect(outcome).toMatchObject({ length: Number.MAX_SAFE_INTEGER, end: 'cut' });
  });
});

describe('what is cut is not taken for whole', () => {
  test.each([
    ['a head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['a head without its last line', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
    ['an interim response alone', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['a body of a known length', `${head('Content-Length: 5')}hell`],
    ['a chunk', chunked('5\r\nhell')],
    ['chunks without the last one', chunked('5\r\nhello\r\n')],
    ['the last chunk without its end', chunked('5\r\nhello\r\n0\r\n')],
  ])('%s', (_name, text) => {
    for (const pieces of splits(text)) expect(read(pieces).end).toBe('cut');
  });
});

describe('property: no split changes the outcome', () => {
  /** mulberry32: the same sequence on every run. */
  function makeRandom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  function randomPieces(bytes: Buffer, random: () => number): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + Math.floor(random() ** 3 * 40);
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }

  /** A legal response with some octets exchanged, doubled or left out: mostly refused, sometimes still legal. */
  function mutate(bytes: Buffer, random: () => number): Buffer {
    const octets = [...bytes];
    const hostile = [0, 10, 13, 32, 9, 58, 59, 48, 102, 255];
    for (let count = Math.floor(random() * 4); count > 0; count--) {
      const at = Math.floor(random() * octets.length);
      const octet = hostile[Math.floor(random() * hostile.length)] ?? 0;
      const kind = random();
      if (kind < 0.4) octets[at] = octet;
      else if (kind < 0.7) octets.splice(at, 0, octet);
      else octets.splice(at, 1 + Math.floor(random() * 3));
    }
    return Buffer.from(octets);
  }

  test('of 20 000 mutated responses', () => {
    const random = makeRandom(20_261_122);
    const ends = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const chosen = LEGAL[Math.floor(random() * LEGAL.length)] as LegalCase;
      const bytes = mutate(Buffer.from(chosen.text, 'latin1'), random);
      const whole = read([bytes], chosen.method);
      ends.add(whole.end);
      expect(read(randomPieces(bytes, random), chosen.method), JSON.stringify(bytes.toString('latin1'))).toEqual(whole);
    }
    expect([...ends].sort()).toEqual(['closed', 'cut', 'done', 'invalid']);
  });
});

test('after `stop` within a callback nothing more is told', () => {
  const parser = new ResponseParser(LIMITS);
  const told: string[] = [];
  parser.begin('GET', false, {
    onInform: () => told.push('inform'),
    onHead: () => {
      told.push('head');
      parser.stop();
    },
    onData: () => told.push('data'),
    onEnd() {},
    onError() {},
  });
  const bytes = Buffer.from(`${head('Content-Length: 5')}hello`);
  expect(parser.feed(bytes, 0, bytes.length)).toBe('stopped');
  expect(told).toEqual(['head']);
  expect(parser.endOfInput()).toBe(false);
});

test('many small chunks of one read go on as one', () => {
  const parser = new ResponseParser(LIMITS);
  const chunks: string[] = [];
  parser.begin('GET', false, {
    onInform() {},
    onHead() {},
    onData: (chunk) => chunks.push(chunk.toString()),
    onEnd() {},
    onError() {},
  });
  const bytes = Buffer.from(chunked('1\r\na\r\n2\r\nbc\r\n3;x\r\ndef\r\n0\r\n\r\n'));
  expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
  expect(chunks).toEqual(['abcdef']);
});
