import { expect, test } from 'vitest';
import { KubeError } from './errors.ts';
import { nextTurn, type Turn } from './reflector-turn.ts';

const network = new KubeError('NETWORK', 'reset');
const gone = new KubeError('API', 'too old', { status: 410 });
const unreadable = new KubeError('INVALID_RESPONSE', 'no JSON');
const forbidden = new KubeError('API', 'no', { status: 403 });
const busy = new KubeError('API', 'later', { status: 429, retryAfterMs: 7_000 });
const quiet: Turn = { error: undefined, openMs: 0, progressed: false, afterOutage: false };

test.each<[string, Partial<Turn>, number, { relist: boolean; waitMs: number; failures: number }]>([
  ['the server ends it in order', { openMs: 5_000 }, 0, { relist: false, waitMs: 0, failures: 0 }],
  ['the server ends it at once', {}, 0, { relist: false, waitMs: 400, failures: 1 }],
  ['cut after news', { error: network, progressed: true }, 5, { relist: false, waitMs: 0, failures: 0 }],
  ['cut, silent', { error: network, openMs: 119_999 }, 0, { relist: false, waitMs: 400, failures: 1 }],
  ['cut, silent for long', { error: network, openMs: 120_000 }, 5, { relist: false, waitMs: 0, failures: 0 }],
  ['nobody there, again and again', { error: network }, 9, { relist: false, waitMs: 5_000, failures: 10 }],
  ['nobody there still', { error: network, afterOutage: true }, 9, { relist: false, waitMs: 5_000, failures: 10 }],
  ['back, and it has forgotten', { error: gone, afterOutage: true }, 9, { relist: true, waitMs: 400, failures: 1 }],
  ['back, and not ready', { error: forbidden, afterOutage: true }, 9, { relist: false, waitMs: 400, failures: 1 }],
  ['refused again and again', { error: forbidden }, 9, { relist: false, waitMs: 15_000, failures: 10 }],
  ['compacted', { error: gone }, 0, { relist: true, waitMs: 400, failures: 1 }],
  ['compacted after news', { error: gone, progressed: true }, 5, { relist: true, waitMs: 400, failures: 1 }],
  ['unreadable after news', { error: unreadable, progressed: true }, 0, { relist: true, waitMs: 400, failures: 1 }],
  ['a fault of ours', { error: new TypeError('x') }, 1, { relist: true, waitMs: 800, failures: 2 }],
  ['refused for the second time', { error: forbidden }, 1, { relist: false, waitMs: 800, failures: 2 }],
  ['refused for the third time', { error: forbidden }, 2, { relist: true, waitMs: 1_600, failures: 3 }],
  ['refused for the fourth time', { error: forbidden }, 3, { relist: false, waitMs: 3_200, failures: 4 }],
  ['told to come later', { error: busy }, 3, { relist: false, waitMs: 7_000, failures: 4 }],
  ['told to come sooner than we would', { error: busy }, 9, { relist: false, waitMs: 15_000, failures: 10 }],
])('%s', (_, turn, failures, wanted) => expect(nextTurn({ ...quiet, ...turn }, failures, 0)).toEqual(wanted));

test('jitter only lengthens what the server asks for', () =>
  expect(nextTurn({ ...quiet, error: busy }, 0, 0.999).waitMs).toBeGreaterThan(8_000));
