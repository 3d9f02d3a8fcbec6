import { expect, test } from 'vitest';
import { Patience, type Wait } from './patience.ts';

type Look = [wait: Wait, requests: number, read: number, unsent: number];

// Each look is one second after the one before.
const TABLE: [what: string, looks: Look[], waited: number][] = [
  [
    'a head that trickles',
    [
      ['head', 0, 1, 0],
      ['head', 0, 2, 0],
      ['head', 0, 3, 0],
    ],
    3,
  ],
  [
    'an idle connection',
    [
      ['idle', 1, 9, 0],
      ['idle', 1, 9, 0],
      ['idle', 1, 9, 0],
    ],
    2,
  ],
  [
    'a busy connection that is idle at each look',
    [
      ['idle', 1, 9, 0],
      ['idle', 5, 45, 0],
      ['idle', 9, 81, 0],
    ],
    0,
  ],
  [
    'an idle connection on which a head begins',
    [
      ['idle', 1, 9, 0],
      ['head', 1, 10, 0],
      ['head', 1, 11, 0],
    ],
    1,
  ],
  [
    'a body that trickles',
    [
      ['body', 1, 9, 0],
      ['body', 1, 10, 0],
      ['body', 1, 11, 0],
    ],
    0,
  ],
  [
    'a body that is silent',
    [
      ['body', 1, 9, 0],
      ['body', 1, 9, 0],
      ['body', 1, 9, 0],
    ],
    2,
  ],
  [
    'the silent body of another request',
    [
      ['body', 1, 9, 0],
      ['body', 2, 9, 0],
      ['body', 2, 9, 0],
    ],
    1,
  ],
  [
    'a client that takes nothing',
    [
      ['send', 1, 9, 50],
      ['send', 1, 9, 50],
      ['send', 1, 9, 50],
    ],
    2,
  ],
  [
    'a client that takes nothing but keeps sending',
    [
      ['send', 1, 9, 50],
      ['send', 1, 10, 50],
      ['send', 1, 11, 50],
    ],
    2,
  ],
  [
    'a client that takes little by little',
    [
      ['send', 1, 9, 50],
      ['send', 1, 9, 49],
      ['send', 1, 9, 48],
    ],
    0,
  ],
  [
    'a lingering client that is silent',
    [
      ['send', 1, 9, 5],
      ['linger', 1, 9, 0],
      ['linger', 1, 9, 0],
    ],
    1,
  ],
];

test.each(TABLE)('%s', (_what, looks, waited) => {
  const patience = new Patience(0);
  for (const [i, look] of looks.entries()) patience.observe(...look, (i + 1) * 1000);
  expect((looks.length * 1000 - patience.since) / 1000).toBe(waited);
  expect(patience.wait).toBe(looks.at(-1)?.[0]);
});
