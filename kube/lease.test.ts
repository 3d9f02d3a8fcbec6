import { describe, expect, test } from 'vitest';
import { claimedLease, microTime, readLease, releasedLease } from './lease.ts';
import type { KubeObject } from './object.ts';

const wall = Date.UTC(2026, 10, 22, 19, 0, 0, 42);
const claim = { namespace: 'system', name: 'operator', identity: 'me', leaseMs: 15_000, wall };

function aLease(spec: unknown): KubeObject {
  const metadata = { namespace: 'system', name: 'operator', resourceVersion: '7', labels: { kept: 'yes' } };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
}

test('times have six fractional digits', () => expect(microTime(wall)).toBe('2026-11-22T19:00:00.042000Z'));

describe('a claim', () => {
  const now = microTime(wall);
  const before = microTime(wall - 60_000);
  test.each<[string, KubeObject | undefined, unknown]>([
    [
      'where there is no Lease',
      undefined,
      { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: now, renewTime: now, leaseTransitions: 0 },
    ],
    [
      "of another's: a transition",
      aLease({
        holderIdentity: 'you',
        leaseDurationSeconds: 9,
        acquireTime: before,
        renewTime: before,
        leaseTransitions: 4,
      }),
      { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: now, renewTime: now, leaseTransitions: 5 },
    ],
    [
      'of ours: only renewed',
      aLease({
        holderIdentity: 'me',
        leaseDurationSeconds: 15,
        acquireTime: before,
        renewTime: before,
        leaseTransitions: 4,
      }),
      { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: before, renewTime: now, leaseTransitions: 4 },
    ],
    [
      'of one without a spec',
      aLease(null),
      { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: now, renewTime: now, leaseTransitions: 1 },
    ],
  ])('%s', (_name, lease, spec) => expect(claimedLease(lease, claim)['spec']).toEqual(spec));

  test('keeps metadata and what others wrote', () => {
    const lease = aLease({ holderIdentity: 'you', strategy: 'OldestEmulationVersion' });
    const claimed = claimedLease(lease, claim);
    expect(claimed.metadata).toEqual(lease.metadata);
    expect(claimed['spec']).toMatchObject({ strategy: 'OldestEmulationVersion' });
  });

  test('a duration of less than whole seconds is longer, not shorter', () =>
    expect(claimedLease(undefined, { ...claim, leaseMs: 1_200 })['spec']).toMatchObject({ leaseDurationSeconds: 2 }));
});

test('a release leaves no holder, and a second to those who know no empty one', () => {
  const released = releasedLease(aLease({ holderIdentity: 'me', leaseDurationSeconds: 15, leaseTransitions: 4 }), wall);
  expect(released['spec']).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 4 });
  expect(released.metadata.resourceVersion).toBe('7');
});

describe('what a Lease says, however strange', () => {
  test.each<[unknown, string, number | undefined, number]>([
    [{ holderIdentity: 'you', leaseDurationSeconds: 15, leaseTransitions: 3 }, 'you', 15_000, 3],
    [{ holderIdentity: null, leaseDurationSeconds: -1 }, '', undefined, 0],
    [{ holderIdentity: 7, leaseDurationSeconds: '15', leaseTransitions: 'many' }, '', undefined, 0],
    [undefined, '', undefined, 0],
    ['text', '', undefined, 0],
  ])('%j', (spec, holder, durationMs, transitions) =>
    expect(readLease(aLease(spec))).toMatchObject({ holder, durationMs, transitions }),
  );

  test('a label is no renewal', () => {
    const lease = aLease({ holderIdentity: 'you', renewTime: microTime(wall) });
    const labelled = { ...lease, metadata: { ...lease.metadata, resourceVersion: '8', labels: { new: 'yes' } } };
    expect(readLease(labelled).fingerprint).toBe(readLease(lease).fingerprint);
    const renewed = aLease({ holderIdentity: 'you', renewTime: microTime(wall + 1) });
    expect(readLease(renewed).fingerprint).not.toBe(readLease(lease).fingerprint);
  });
});
