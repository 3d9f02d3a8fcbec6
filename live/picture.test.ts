import { describe, expect, test } from 'vitest';
import type { RecentError } from '../core/status/traffic.ts';
import { NO_TRAFFIC } from './minutes.ts';
import { makePicture, type Picture, type Tile } from './picture.ts';
import { Places } from './places.ts';
import type { WebAppDocuments } from './source.ts';
import { AT, durationsOf, makeDeath, makeDocuments, makeProcess, makeProxy, makeWorker } from './testing/documents.ts';

/** Drawn of the last of these, after all of them were seen. */
function draw(...seen: WebAppDocuments[]): Picture {
  const places = new Places();
  for (const documents of seen) places.take(documents);
  const documents = seen.at(-1) ?? makeDocuments();
  return makePicture({ documents, places, recent: NO_TRAFFIC, minute: NO_TRAFFIC, at: AT });
}

const worker = (more: Parameters<typeof makeWorker>[0]) =>
  makeDocuments({ workers: [{ place: 'here', status: makeWorker(more) }] });
const tilesOf = (picture: Picture): readonly Tile[] => picture.workers[0]?.tiles ?? [];

describe('tiles', () => {
  test('are at their places, and say what their processes do', () => {
    const tiles = tilesOf(
      draw(
        worker({
          list: [
            makeProcess(1, { requests: [{ method: 'GET', path: '/slow', ms: 1_200 }] }),
            makeProcess(7, { place: 2, state: 'starting' }),
            makeProcess(3, { state: 'draining', residentBytes: 4096 }),
            makeProcess(4),
          ],
        }),
      ),
    );
    expect(tiles.map(({ place, state }) => [place, state])).toEqual([
      [1, 'busy'],
      [2, 'starting'],
      [3, 'draining'],
      [4, 'free'],
    ]);
    expect(tiles[0]).toMatchObject({ pid: 101, serving: [{ method: 'GET', path: '/slow', ms: 1_200 }], more: 0 });
    expect(tiles[2]).toMatchObject({ residentBytes: 4096, ageMs: 60_000 });
  });

  test('a place whose process died is empty and says why; its successor keeps saying so', () => {
    const before = worker({});
    const gone = worker({ list: [makeProcess(1), makeProcess(3)], deaths: [makeDeath(2)] });
    expect(tilesOf(draw(before, gone))[1]).toMatchObject({
      place: 2,
      state: 'gone',
      died: { cause: 'signal', agoMs: 4_000, message: 'Process 102 was killed.' },
    });
    const next = worker({
      list: [makeProcess(1), makeProcess(3), makeProcess(4, { place: 2 })],
      deaths: [makeDeath(2)],
    });
    expect(tilesOf(draw(before, gone, next))[1]).toMatchObject({ state: 'free', pid: 104, died: { cause: 'signal' } });
  });

  test('a replacement that sits elsewhere says whom it took over from, and no place is empty without need', () => {
    const elsewhere = [makeProcess(1), makeProcess(3), makeProcess(4, { startedAt: AT - 4_100 })];
    const tiles = tilesOf(draw(worker({}), worker({ list: elsewhere, deaths: [makeDeath(2)] })));
    expect(tiles.map(({ place, state, died }) => [place, state, died?.cause])).toEqual([
      [1, 'free', undefined],
      [3, 'free', undefined],
      [4, 'free', 'signal'],
    ]);
  });

  test('one that leaves is not missing, its successor is', () => {
    const leaving = [makeProcess(1), makeProcess(2), makeProcess(3, { state: 'draining' })];
    const tiles = tilesOf(draw(worker({ list: leaving })));
    expect(tiles.map(({ place, state }) => [place, state])).toEqual([
      [1, 'free'],
      [2, 'free'],
      [3, 'draining'],
      [4, 'gone'],
    ]);
  });

  test('a process that was recycled did not die', () => {
    const recycled = worker({ deaths: [makeDeath(2, { cause: 'max-memory' })] });
    expect(tilesOf(draw(worker({}), recycled)).every(({ died }) => died === undefined)).toBe(true);
  });

  test('of a worker that tells no places sit where it would have put them', () => {
    const placeless = (...ids: number[]) =>
      worker({ list: ids.map((id) => ({ ...makeProcess(id), place: undefined })) as never });
    const picture = draw(placeless(1, 2, 3), placeless(1, 3), placeless(1, 3, 4));
    expect(tilesOf(picture).map(({ place, pid }) => [place, pid])).toEqual([
      [1, 101],
      [2, 104],
      [3, 103],
    ]);
  });

  test('are bounded, whatever a worker tells', () => {
    const path = `/${'x'.repeat(5_000)}`;
    const requests = Array.from({ length: 1_000 }, () => ({ method: 'GET', path, ms: 1 }));
    const list = Array.from({ length: 2_000 }, (_, i) => makeProcess(i + 1, { requests }));
    const processes = { desired: 1e9, ready: 2_000, busy: 0, starting: 0, draining: 0 };
    const picture = draw(worker({ list, processes }));
    expect(tilesOf(picture)).toHaveLength(256);
    expect(tilesOf(picture)[0]).toMatchObject({ more: 996 });
    expect(JSON.stringify(picture).length).toBeLessThan(1_000_000);
  });
});

describe('errors', () => {
  const error = (id: string, more: Partial<RecentError> = {}): RecentError => ({
    at: AT - 1_000,
    id,
    method: 'GET',
    path: '/',
    status: 502,
    ms: 12,
    ...more,
  });

  test('known to proxy and worker are told once, with the cause that the worker knows', () => {
    const picture = draw(
      makeDocuments({
        proxies: [{ place: 'p', status: makeProxy({ errors: [error('a', { ms: 15 }), error('b', { at: AT })] }) }],
        workers: [
          { place: 'w', status: makeWorker({ errors: [error('a', { fault: 'PROCESS_DIED', detail: 'SIGKILL.' })] }) },
        ],
      }),
    );
    expect(picture.errors.map(({ id, ms, text }) => [id, ms, text])).toEqual([
      ['b', 12, 'The application answered so.'],
      ['a', 15, 'The process that served the request died. SIGKILL.'],
    ]);
  });

  test('without an id are not taken for one another', () => {
    const errors = [error(''), error('', { path: '/2' })];
    expect(draw(makeDocuments({ proxies: [{ place: 'p', status: makeProxy({ errors }) }] })).errors).toHaveLength(2);
  });
});

test('the parts of the time add up to what the proxy saw', () => {
  const minute = {
    ...NO_TRAFFIC,
    request: durationsOf(100, 100),
    proxyQueue: durationsOf(10, 10),
    workerQueue: durationsOf(20, 20),
    app: durationsOf(60, 60),
  };
  const picture = makePicture({ documents: makeDocuments(), places: new Places(), recent: NO_TRAFFIC, minute, at: AT });
  expect(picture.time).toEqual({ proxyWait: 10, workerWait: 20, app: 60, rest: 10 });
  expect(draw(makeDocuments()).time).toBeNull();
});

test('several workers and proxies are added up, and who is silent says why', () => {
  const picture = draw(
    makeDocuments({
      workers: [
        { place: 'a', status: makeWorker() },
        { place: 'b', status: makeWorker({ queue: { length: 3, max: 9, oldestMs: 70 } }) },
        { place: 'c', why: 'no answer within 2000 ms' },
      ],
    }),
  );
  expect(picture.now).toMatchObject({ free: 6, waiting: 3, oldestWaitMs: 70, processes: { ready: 6, desired: 6 } });
  expect(picture.workers[2]).toMatchObject({ state: 'silent', why: 'no answer within 2000 ms', tiles: [] });
});
