import { describe, expect, test } from 'vitest';
import { type Plan, type PlannedStep, type ProcessView, planUpkeep, surgeOf, type Wanted } from './upkeep.ts';

const NOW = 100_000;

const process = (id: number, state: ProcessView['state'], more: Partial<ProcessView> = {}): ProcessView => ({
  id,
  generation: 1,
  state,
  busy: 0,
  stuck: 0,
  blockedAt: Number.POSITIVE_INFINITY,
  upgraded: 0,
  usedAt: 0,
  deadline: state === 'ready' ? 0 : NOW + 30_000,
  drainingSince: NOW,
  asked: false,
  worn: null,
  ...more,
});
const starting = (id: number, more?: Partial<ProcessView>) => process(id, 'starting', more);
const ready = (id: number, more?: Partial<ProcessView>) => process(id, 'ready', more);
const draining = (id: number, more?: Partial<ProcessView>) => process(id, 'draining', more);

const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  processes: 3,
  generation: 1,
  fallback: null,
  failing: false,
  spawnAfter: 0,
  exclusive: false,
  stopping: false,
  parallelBoots: 8,
  ...more,
});

const plan = (processes: readonly ProcessView[], more?: Partial<Wanted>): Plan =>
  planUpkeep(processes, wanted(more), NOW);
const said = (steps: readonly PlannedStep[]) => steps.map(({ id, event, cause }) => `${id} ${event} ${cause}`);

test('a world as it is wanted plans nothing and needs no look', () => {
  expect(plan([ready(1), ready(2), ready(3)])).toEqual({ steps: [], spawn: [], wakeAt: Number.POSITIVE_INFINITY });
});

describe('spawn', () => {
  test('an empty world starts all at once', () => {
    expect(plan([]).spawn).toEqual([{ generation: 1, count: 3 }]);
  });

  test('no more start together than the CPUs bear', () => {
    expect(plan([], { processes: 20, parallelBoots: 3 }).spawn).toEqual([{ generation: 1, count: 3 }]);
    expect(plan([starting(1), starting(2)], { processes: 20, parallelBoots: 3 }).spawn).toEqual([
      { generation: 1, count: 1 },
    ]);
  });

  test('what is starting already is not started again', () => {
    expect(plan([starting(1), ready(2), starting(3)]).spawn).toEqual([]);
  });

  test('a draining process does not count: its replacement starts now', () => {
    expect(plan([ready(1), ready(2), draining(3, { busy: 1 })]).spawn).toEqual([{ generation: 1, count: 1 }]);
  });

  test('draining processes that pile up are bounded', () => {
    const piled = [1, 2, 3, 4, 5, 6, 7].map((id) => draining(id, { busy: 1 }));
    expect(plan(piled).spawn).toEqual([]);
  });

  test('after crashes the next waits for its time, and comes alone', () => {
    const waiting = plan([ready(1)], { failing: true, spawnAfter: NOW + 700 });
    expect(waiting.spawn).toEqual([]);
    expect(waiting.wakeAt).toBe(NOW + 700);
    expect(plan([ready(1)], { failing: true, spawnAfter: NOW }).spawn).toEqual([{ generation: 1, count: 1 }]);
    expect(plan([ready(1), starting(2)], { failing: true }).spawn).toEqual([]);
  });
});

describe('resize', () => {
  test('up: at once', () => {
    expect(plan([ready(1), ready(2), ready(3)], { processes: 8 }).spawn).toEqual([{ generation: 1, count: 5 }]);
  });

  test('down: the idlest leave first: not busy, no upgraded connection, then the longest unused', () => {
    const processes = [
      ready(1, { busy: 1 }),
      ready(2, { usedAt: 50 }),
      ready(3, { usedAt: 10 }),
      ready(4, { upgraded: 2 }),
      ready(5, { usedAt: 30 }),
    ];
    expect(said(plan(processes, { processes: 2 }).steps)).toEqual(['3 stop resize', '5 stop resize', '2 stop resize']);
  });

  test('down while some start: those that start go first, the youngest before', () => {
    expect(said(plan([ready(1), starting(2), starting(3)], { processes: 2 }).steps)).toEqual(['3 stop resize']);
  });

  test('down with too few ready: nobody ready leaves', () => {
    expect(said(plan([ready(1), starting(2), starting(3)], { processes: 1 }).steps)).toEqual([
      '3 stop resize',
      '2 stop resize',
    ]);
  });
});

describe('replacement first', () => {
  const two = { generation: 2 };

  test('the first of a new generation starts beside the old, within the surge', () => {
    const { steps, spawn } = plan([ready(1), ready(2), ready(3)], two);
    expect(steps).toEqual([]);
    expect(spawn).toEqual([{ generation: 2, count: 1 }]);
  });

  test('a quarter of many at a time', () => {
    const many = Array.from({ length: 16 }, (_, index) => ready(index + 1));
    expect(surgeOf(16)).toBe(4);
    expect(plan(many, { ...two, processes: 16 }).spawn).toEqual([{ generation: 2, count: 4 }]);
  });

  test('when it is ready an old one leaves, the idlest', () => {
    const { steps } = plan([ready(1, { busy: 1 }), ready(2), ready(3), ready(4, two)], two);
    expect(said(steps)).toEqual(['2 stop reload']);
  });

  test('a resize down during a replacement keeps as many ready as are wanted', () => {
    const { steps } = plan([ready(1), ready(2), ready(3), starting(4, two)], { ...two, processes: 2 });
    expect(said(steps)).toEqual(['1 stop resize']);
  });

  test('a worn process is replaced first, then leaves with its own cause', () => {
    const worn = ready(1, { worn: 'max-requests' });
    expect(plan([worn, ready(2), ready(3)])).toMatchObject({ steps: [], spawn: [{ generation: 1, count: 1 }] });
    expect(said(plan([worn, ready(2), ready(3), ready(4)]).steps)).toEqual(['1 stop max-requests']);
  });

  test('one process alone is replaced first, too', () => {
    const worn = ready(1, { worn: 'max-memory' });
    expect(plan([worn], { processes: 1 })).toMatchObject({ steps: [], spawn: [{ generation: 1, count: 1 }] });
  });

  test('what still starts of the old generation is stopped', () => {
    expect(said(plan([ready(1), ready(2), starting(3)], two).steps)).toEqual(['3 stop reload']);
  });
});

describe('a new generation that does not start', () => {
  const failing = { generation: 2, failing: true, spawnAfter: NOW + 5_000, fallback: { generation: 1, spawnAfter: 0 } };

  test('the old ones stay', () => {
    const { steps, spawn, wakeAt } = plan([ready(1), ready(2), ready(3)], failing);
    expect({ steps, spawn, wakeAt }).toEqual({ steps: [], spawn: [], wakeAt: NOW + 5_000 });
  });

  test('an old one that dies meanwhile is replaced by its like', () => {
    expect(plan([ready(1), ready(2)], failing).spawn).toEqual([{ generation: 1, count: 1 }]);
    expect(plan([ready(1), ready(2), starting(3)], failing)).toMatchObject({ steps: [], spawn: [] });
  });

  test('which waits too when that does not start either', () => {
    const both = { ...failing, fallback: { generation: 1, spawnAfter: NOW + 200 } };
    expect(plan([ready(1), ready(2)], both)).toMatchObject({ spawn: [], wakeAt: NOW + 200 });
  });

  test('it is tried again beside them, one at a time', () => {
    const due = { ...failing, spawnAfter: NOW };
    expect(plan([ready(1), ready(2), ready(3)], due).spawn).toEqual([{ generation: 2, count: 1 }]);
    expect(plan([ready(1), ready(2), ready(3), starting(4, { generation: 2 })], due).spawn).toEqual([]);
  });
});

describe('development: old code is not served once new code is asked for', () => {
  test('old processes leave before the new are ready, and all the new start at once', () => {
    const { steps, spawn } = plan([ready(1), ready(2), ready(3)], { generation: 2, exclusive: true });
    expect(said(steps)).toEqual(['1 stop reload', '2 stop reload', '3 stop reload']);
    expect(spawn).toEqual([{ generation: 2, count: 3 }]);
  });
});

describe('deadlines', () => {
  test('a process that is not ready in time is late', () => {
    expect(said(plan([starting(1, { deadline: NOW })], { processes: 1 }).steps)).toEqual(['1 late boot-timeout']);
  });

  test('a process that does not leave in time is killed, however busy', () => {
    const slow = draining(1, { busy: 3, deadline: NOW, asked: true });
    expect(said(plan([slow], { processes: 0 }).steps)).toEqual(['1 stop-late shutdown']);
  });

  test('the pass after this one is due at the nearest deadline', () => {
    const processes = [starting(1, { deadline: NOW + 60 }), draining(2, { busy: 1, deadline: NOW + 40 }), ready(3)];
    expect(plan(processes, { processes: 2 }).wakeAt).toBe(NOW + 40);
  });
});

describe('draining', () => {
  test('a quiet process is asked to stop, once', () => {
    expect(said(plan([draining(1)], { processes: 0 }).steps)).toEqual(['1 quiet shutdown']);
    expect(plan([draining(1, { asked: true })], { processes: 0 }).steps).toEqual([]);
  });

  test('a busy one is left to finish', () => {
    expect(plan([draining(1, { busy: 1 })], { processes: 0 }).steps).toEqual([]);
  });

  test('neighbours of a hung request finish before the process is killed', () => {
    expect(plan([draining(1, { busy: 3, stuck: 1 })], { processes: 0 }).steps).toEqual([]);
    expect(said(plan([draining(1, { busy: 1, stuck: 1 })], { processes: 0 }).steps)).toEqual(['1 hung timeout']);
  });

  test('it is looked at when its event loop is known to be blocked', () => {
    const hung = draining(1, { busy: 3, stuck: 1, blockedAt: NOW + 500 });
    expect(plan([hung], { processes: 0 })).toMatchObject({ steps: [], wakeAt: NOW + 500 });
    expect(plan([{ ...hung, asked: true }], { processes: 0 }).wakeAt).toBe(NOW + 30_000);
  });

  test('an upgrade that is on its way to the process arrives before the process is asked to stop', () => {
    const fresh = draining(1, { upgraded: 1, drainingSince: NOW - 10 });
    expect(plan([fresh], { processes: 0 })).toMatchObject({ steps: [], wakeAt: NOW + 990 });
    const settled = draining(1, { upgraded: 1, drainingSince: NOW - 1_000 });
    expect(said(plan([settled], { processes: 0 }).steps)).toEqual(['1 quiet shutdown']);
  });
});

describe('unhealthy', () => {
  const sick = (id: number) => ready(id, { worn: 'unhealthy' });

  test('it leaves at once while a healthy one serves, and is replaced', () => {
    const { steps, spawn } = plan([sick(1), ready(2), ready(3)]);
    expect(said(steps)).toEqual(['1 unhealthy unhealthy']);
    expect(spawn).toEqual([{ generation: 1, count: 1 }]);
  });

  test('when all are, they serve what they can until a better one is ready', () => {
    expect(plan([sick(1), sick(2), sick(3)])).toMatchObject({ steps: [], spawn: [{ generation: 1, count: 1 }] });
    expect(said(plan([sick(1), sick(2), sick(3), ready(4)]).steps)).toEqual([
      '1 unhealthy unhealthy',
      '2 unhealthy unhealthy',
      '3 unhealthy unhealthy',
    ]);
  });
});

test('stopping: everything is asked to leave and nothing starts', () => {
  const { steps, spawn } = plan([ready(1), starting(2), draining(3, { busy: 1 })], { stopping: true, processes: 3 });
  expect(said(steps)).toEqual(['1 stop shutdown', '2 stop shutdown']);
  expect(spawn).toEqual([]);
});

describe('a rolling replacement, pass by pass', () => {
  test.each([1, 2, 3, 5, 8])(
    '%i processes: never fewer ready than wanted, never more than the surge beside',
    (count) => {
      let world = Array.from({ length: count }, (_, index) => ready(index + 1));
      let ids = count;
      for (let pass = 0; world.some((each) => each.generation === 1); pass++) {
        expect(pass).toBeLessThan(4 * count);
        const { steps, spawn } = plan(world, { generation: 2, processes: count });
        const leaving = new Set(steps.map((step) => step.id));
        world = world.filter((each) => !leaving.has(each.id));
        expect(world.filter((each) => each.state === 'ready').length).toBeGreaterThanOrEqual(count);
        for (const more of spawn)
          for (let i = 0; i < more.count; i++) world.push(starting(++ids, { generation: more.generation }));
        expect(world.length).toBeLessThanOrEqual(count + surgeOf(count));
        world = world.map((each) => ({ ...each, state: 'ready' }));
      }
      expect(plan(world, { generation: 2, processes: count }).steps.length).toBeLessThanOrEqual(surgeOf(count));
    },
  );
});
