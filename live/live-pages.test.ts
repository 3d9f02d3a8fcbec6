import { expect, onTestFinished, test, vi } from 'vitest';
import { LivePages } from './live-pages.ts';
import type { Listed, Source, WebAppName } from './source.ts';
import { AT, makeDocuments } from './testing/documents.ts';

function rig(all: readonly Listed[], recall?: Source['recall']) {
  vi.useFakeTimers();
  let lists = 0;
  const asked: WebAppName[] = [];
  const source: Source = {
    list: () => {
      lists++;
      return all;
    },
    read: async (name) => {
      asked.push(name);
      return makeDocuments();
    },
    ...(recall && { recall }),
  };
  const began = Date.now();
  const clock = { now: () => Date.now() - began, wall: () => AT + Date.now() - began };
  const pages = new LivePages({ source, clock });
  onTestFinished(() => {
    pages.close();
    vi.useRealTimers();
  });
  return { pages, asked, lists: () => lists };
}

const listed = (name: string, tone: Listed['tone']): Listed => ({ namespace: 'web', name, tone, text: '' });
const SHOP = { namespace: 'web', name: 'shop' };

test('the worst are listed first, then by name, and those beyond the bound are counted', () => {
  const few = [
    listed('b', 'good'),
    listed('d', 'unknown'),
    listed('a', 'good'),
    listed('c', 'bad'),
    listed('e', 'warning'),
  ];
  expect(
    rig(few)
      .pages.list()
      .webApps.map(({ name }) => name),
  ).toEqual(['c', 'e', 'd', 'a', 'b']);
  const many = Array.from({ length: 5_000 }, (_, i) => listed(`w${i}`, 'good'));
  const list = rig(many).pages.list();
  expect([list.webApps.length, list.left]).toEqual([500, 4_500]);
});

test('a thousand pages of the list make it once a second', () => {
  const { pages, lists } = rig([listed('shop', 'good')]);
  for (let i = 0; i < 1_000; i++) pages.list();
  expect(lists()).toBe(1);
  vi.advanceTimersByTime(1_000);
  pages.list();
  expect(lists()).toBe(2);
});

test('what is had without asking is sampled while nobody looks, so that a page shows the minutes before', async () => {
  const { pages, asked } = rig([listed('shop', 'good')], () => makeDocuments());
  await vi.advanceTimersByTimeAsync(60_500);
  expect(asked).toEqual([]);
  const view = await pages.once(SHOP, new AbortController().signal);
  expect(view?.samples.length).toBe(59);
});

test('what must be asked for is not asked while nobody looks, and its minutes are kept for who comes back', async () => {
  const { pages, asked } = rig([listed('shop', 'good')]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toEqual([]);
  const stop = pages.listen(SHOP, () => {});
  await vi.advanceTimersByTimeAsync(10_000);
  stop?.();
  const asks = asked.length;
  expect(asks).toBeGreaterThan(20);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.length).toBe(asks);
  const view = await pages.once(SHOP, new AbortController().signal);
  expect(view?.samples.length).toBeGreaterThanOrEqual(7);
});

test('looks at more WebApps than are kept forget those looked at longest ago', async () => {
  const { pages } = rig([]);
  const look = (name: string) => pages.once({ namespace: 'web', name }, new AbortController().signal);
  await look('first');
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await look('first'))?.samples).toHaveLength(1);
  for (let i = 0; i < 100; i++) await look(`w${i}`);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await look('first'))?.samples).toHaveLength(0);
});
