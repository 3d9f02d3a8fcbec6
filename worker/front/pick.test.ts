import { expect, test } from 'vitest';
import type { AppProcess } from '../slot.ts';
import { pickProcess } from './pick.ts';

const process = (id: number, busy: number): AppProcess => ({
  id,
  pid: id,
  busy,
  upgraded: 0,
  acquire: () => undefined,
  release: () => {},
});

test.each([
  ['none', [], undefined],
  ['the least busy', [process(1, 2), process(2, 1), process(3, 3)], 2],
  ['of equals the oldest', [process(3, 1), process(1, 1), process(2, 1)], 1],
  ['an idle young one before a busy old one', [process(1, 1), process(9, 0)], 9],
])('%s', (_name, takers, wanted) => {
  expect(pickProcess(takers)?.id).toBe(wanted);
});
