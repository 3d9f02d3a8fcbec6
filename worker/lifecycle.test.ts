import { expect, test } from 'vitest';
import { LIFECYCLE, type LifecycleEvent, type ProcessState, type Step } from './lifecycle.ts';

const EVENTS: readonly LifecycleEvent[] = [
  'booted',
  'boot-failed',
  'late',
  'stop',
  'quiet',
  'hung',
  'stop-late',
  'exited',
  'timed-out',
  'unhealthy',
  'broken',
];

/** Only the pairs that change something or do something; every other pair must leave all as it is. */
const WANTED: Readonly<Record<ProcessState, Partial<Record<LifecycleEvent, Step>>>> = {
  starting: {
    booted: ['ready', 'serve'],
    'boot-failed': ['draining'],
    late: ['draining', 'dump'],
    stop: ['draining', 'stop'],
    exited: ['gone', 'bury'],
    broken: ['draining', 'kill'],
  },
  ready: {
    stop: ['draining', 'withdraw'],
    exited: ['gone', 'withdraw', 'bury'],
    'timed-out': ['draining', 'withdraw'],
    unhealthy: ['draining', 'withdraw'],
    broken: ['draining', 'withdraw'],
  },
  draining: {
    quiet: ['draining', 'stop'],
    hung: ['draining', 'dump'],
    'stop-late': ['draining', 'kill'],
    exited: ['gone', 'bury'],
  },
  gone: {},
};

const STATES = Object.keys(WANTED) as ProcessState[];

test.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))('%s × %s', (state, event) => {
  expect(LIFECYCLE[state][event]).toEqual(WANTED[state][event] ?? [state]);
});

test('the table has no state and no event besides those', () => {
  expect(Object.keys(LIFECYCLE).sort()).toEqual([...STATES].sort());
  for (const state of STATES) expect(Object.keys(LIFECYCLE[state]).sort()).toEqual([...EVENTS].sort());
});

test('every way out of service withdraws, so that no request is given to a process that leaves', () => {
  for (const [next, ...actions] of Object.values(LIFECYCLE.ready)) {
    expect(actions.includes('withdraw')).toBe(next !== 'ready');
  }
});
