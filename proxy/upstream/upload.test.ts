import { beforeEach, describe, expect, test } from 'vitest';
import type { CallConsumer } from './client.ts';
import { Upload } from './upload.ts';

let told: string[];
let upload: Upload;

beforeEach(() => {
  told = [];
  const ignore = (): void => {};
  const consumer: CallConsumer = {
    onSendBody: () => told.push('send body'),
    onDrain: () => told.push('drain'),
    onInform: ignore,
    onHead: ignore,
    onData: ignore,
    onEnd: ignore,
    onFault: ignore,
  };
  upload = new Upload(consumer);
});

/** A connection that remembers what it was given. */
function makeConnection(takes = true): Parameters<Upload['flowTo']>[0] & { sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    onDrain: null,
    write(chunk) {
      sent.push(chunk.toString());
      return takes;
    },
    end: () => sent.push('END'),
  };
}

describe('a streamed body', () => {
  test('is asked for once, and sent again from the beginning when its connection is lost', () => {
    const [first, second] = [makeConnection(), makeConnection()];
    upload.flowTo(first);
    upload.write(Buffer.from('a'));
    upload.halt();
    expect(upload.write(Buffer.from('b'))).toBe(true);
    upload.flowTo(second);
    upload.write(Buffer.from('c'));
    upload.end();
    expect(told).toEqual(['send body']);
    expect(first.sent).toEqual(['a']);
    expect(second.sent).toEqual(['a', 'b', 'c', 'END']);
  });

  test('that had ended is ended again', () => {
    const [first, second] = [makeConnection(), makeConnection()];
    upload.flowTo(first);
    upload.write(Buffer.from('a'));
    upload.end();
    upload.halt();
    upload.flowTo(second);
    expect(second.sent).toEqual(['a', 'END']);
  });

  test('is not kept beyond the bound: it flows on, but cannot be sent again', () => {
    const connection = makeConnection();
    upload.flowTo(connection);
    for (let kilobyte = 0; kilobyte < 63; kilobyte++) upload.write(Buffer.alloc(1024));
    expect(upload.whole).toBe(true);
    upload.write(Buffer.alloc(1024));
    expect(upload.whole).toBe(false);
    upload.write(Buffer.from('more'));
    expect(connection.sent.at(-1)).toBe('more');
  });

  test('is held back at the bound while there is no connection, and goes on with the next', () => {
    upload.flowTo(makeConnection());
    upload.halt();
    expect(upload.write(Buffer.alloc(60_000))).toBe(true);
    expect(upload.write(Buffer.alloc(6_000))).toBe(false);
    upload.flowTo(makeConnection());
    expect(told).toEqual(['send body', 'drain']);
  });

  test('waits for a connection that lags, and for no other drain', () => {
    const connection = makeConnection(false);
    upload.flowTo(connection);
    connection.onDrain?.();
    expect(told).toEqual(['send body']);
    expect(upload.write(Buffer.from('a'))).toBe(false);
    expect(upload.lagging).toBe(true);
    connection.onDrain?.();
    expect(told).toEqual(['send body', 'drain']);
    expect(upload.lagging).toBe(false);
  });
});
