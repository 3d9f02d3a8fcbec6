// A reader that is slower than what is told.
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventStream } from './event-stream.ts';
import { Minutes, type Sample } from './minutes.ts';
import { makePicture } from './picture.ts';
import { Places } from './places.ts';
import { AT, makeDocuments } from './testing/documents.ts';
import type { View } from './watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As much of a response as a stream uses; `lags` as long as it is said so. */
class Reader extends EventEmitter {
  lags = false;
  text = '';
  destroyed = false;
  writableEnded = false;
  get writableNeedDrain(): boolean {
    return this.lags;
  }
  writeHead(): void {}
  write(text: string): boolean {
    this.text += text;
    return !this.lags;
  }
  end(): void {
    this.writableEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function open(): { reader: Reader; stream: EventStream } {
  const reader = new Reader();
  return { reader, stream: new EventStream(reader as unknown as ServerResponse) };
}

function viewOf(seconds: number): View {
  const documents = makeDocuments();
  const minutes = new Minutes();
  for (let second = 0; second <= seconds; second++) minutes.take(documents, second * 1_000, AT + second * 1_000);
  const recent = minutes.last(30);
  const picture = makePicture({ documents, places: new Places(), recent, minute: recent, at: AT + seconds });
  return { picture, samples: minutes.samples(), configuration: documents.configuration };
}

function samplesIn(text: string): number[] {
  return [...text.matchAll(/event: samples\ndata: (.*)\n/g)].flatMap(([, json = '[]']) =>
    (JSON.parse(json) as Sample[]).map(({ number }) => number),
  );
}

test('what it missed while it lagged comes at once when it reads again; nothing comes twice', () => {
  const { reader, stream } = open();
  stream.tell(viewOf(1));
  reader.lags = true;
  const before = reader.text;
  for (let second = 2; second < 5; second++) stream.tell(viewOf(second));
  expect(reader.text).toBe(before);
  reader.lags = false;
  stream.tell(viewOf(5));
  expect(samplesIn(reader.text)).toEqual([1, 2, 3, 4, 5]);
  expect(reader.text.match(/event: configuration/g)).toHaveLength(1);
  stream.close();
});

test('one that does not read at all is let go', () => {
  const { reader, stream } = open();
  const write = vi.spyOn(reader, 'write').mockReturnValue(false);
  stream.tell(viewOf(1));
  expect(write).toHaveBeenCalled();
  vi.advanceTimersByTime(19_000);
  expect(reader.destroyed).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(reader.destroyed).toBe(true);
});

test('one that hears nothing new hears that the stream lives, until it is closed', () => {
  const { reader, stream } = open();
  vi.advanceTimersByTime(30_000);
  expect(reader.text.match(/^: /gm)).toHaveLength(3);
  stream.close();
  vi.advanceTimersByTime(30_000);
  expect(reader.text.match(/^: /gm)).toHaveLength(3);
});

test('what was told cannot end an event', () => {
  const { reader, stream } = open();
  stream.tell({ ...viewOf(1), configuration: 'a\n\nevent: gone\ndata: {}\n\n' });
  expect(reader.text.split('\n').filter((line) => line.startsWith('event: '))).not.toContain('event: gone');
  stream.close();
});
