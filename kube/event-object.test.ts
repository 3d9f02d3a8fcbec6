import { describe, expect, test } from 'vitest';
import { cutToBytes, eventKey, eventObject, seriesPatch } from './event-object.ts';
import type { KubeEvent } from './events.ts';

const source = { controller: 'example.org/operator', instance: 'operator-0', wall: 0, hex: 'abc123' };

function anEvent(
  metadata: { name: string; namespace?: string; uid?: string },
  rest: Partial<KubeEvent> = {},
): KubeEvent {
  const regarding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata };
  return { regarding, type: 'Normal', reason: 'Made', action: 'Create', note: 'made', ...rest };
}

describe('what the API refuses is not sent', () => {
  const long = 'x'.repeat(300);
  test.each([
    ['web', 'web.abc123'],
    ['shop.example.com', 'shop.example.com.abc123'],
    ['system:controller', 'clusterrole.abc123'],
    ['', 'clusterrole.abc123'],
    [`${'a'.repeat(245)}.b`, `${'a'.repeat(245)}.abc123`],
  ])('an event for %j is called %j', (name, wanted) =>
    expect(eventObject(anEvent({ name }), source).metadata.name).toBe(wanted),
  );

  test('words and notes are cut to their limits', () => {
    const event = anEvent({ name: 'web' }, { reason: long, action: long, note: 'é'.repeat(600) });
    const object = eventObject(event, { ...source, instance: long });
    for (const field of ['reason', 'action', 'reportingInstance']) expect(object[field]).toHaveLength(128);
    expect(Buffer.byteLength(String(object['note']))).toBeLessThanOrEqual(1_024);
  });

  test('what has no namespace is told of in default, and regarded without one', () => {
    const object = eventObject(anEvent({ name: 'web' }), source);
    expect(object.metadata.namespace).toBe('default');
    expect(object['regarding']).toEqual({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      name: 'web',
    });
  });
});

test.each([
  ['short', 10, 'short'],
  ['exactly ten', 11, 'exactly ten'],
  ['longer than ten', 10, 'longer …'],
  ['ééééé', 9, 'ééé…'],
  ['aéééé', 8, 'aéé…'],
  ['🙂🙂🙂', 11, '🙂🙂…'],
])('%j in %i bytes is %j', (text, bytes, wanted) => {
  expect(cutToBytes(text, bytes)).toBe(wanted);
  expect(Buffer.byteLength(cutToBytes(text, bytes))).toBeLessThanOrEqual(bytes);
});

test('a series says how often and when last', () =>
  expect(seriesPatch(3, 1_000)).toEqual({ series: { count: 3, lastObservedTime: '1970-01-01T00:00:01.000000Z' } }));

test('an object that was made again under the same name is another', () => {
  const [first, second] = ['one', 'two'].map((uid) => eventKey(anEvent({ name: 'web', uid })));
  expect(first).not.toBe(second);
});
