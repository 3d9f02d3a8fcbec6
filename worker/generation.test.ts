import { describe, expect, test } from 'vitest';
import { Generation } from './generation.ts';

const runtime = { start: () => ({ stop: () => {}, kill: () => {} }), close: () => {} };
const make = () => new Generation(1, 'key', runtime);

describe('backoff after deaths', () => {
  test('a process that was of use is replaced at once', () => {
    const generation = make();
    generation.noteDeath('use', 1_000, 0);
    expect(generation).toMatchObject({ failing: false, spawnAfter: 1_000 });
  });

  test('others wait twice as long each round, half a minute at most', () => {
    const generation = make();
    const waits = Array.from({ length: 12 }, () => {
      const now = generation.spawnAfter;
      generation.noteDeath('nothing', now, 0.999_999);
      return Math.round(generation.spawnAfter - now);
    });
    expect(waits.slice(0, 4)).toEqual([250, 500, 1_000, 2_000]);
    expect(waits.at(-1)).toBe(30_000);
  });

  test('those that start well and are ended soon wait two seconds at most', () => {
    const generation = make();
    for (let i = 0; i < 12; i++) generation.noteDeath('start', generation.spawnAfter, 0.999_999);
    const now = generation.spawnAfter;
    generation.noteDeath('start', now, 0.999_999);
    expect(Math.round(generation.spawnAfter - now)).toBe(2_000);
  });

  test('those that die together are one round', () => {
    const generation = make();
    for (let i = 0; i < 8; i++) generation.noteDeath('nothing', 1_000, 0);
    expect(generation).toMatchObject({ crashes: 1, spawnAfter: 1_125 });
  });

  test('use forgives crashes that came before the process was ready, not those since', () => {
    const generation = make();
    generation.noteDeath('nothing', 1_000, 0);
    generation.noteUse(900);
    expect(generation.failing).toBe(true);
    generation.noteUse(1_100);
    expect(generation.failing).toBe(false);
  });
});
