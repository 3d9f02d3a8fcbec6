import { expect, test } from 'vitest';
import { KubeError } from './errors.ts';
import type { Resource } from './object.ts';
import { readPage, readWatchLine } from './watch-lines.ts';

const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };

test('a page: items get their type and lose their managedFields', () => {
  const items = [{ metadata: { name: 'a', resourceVersion: '5', managedFields: [{}] }, data: { x: '1' } }];
  expect(readPage({ metadata: { resourceVersion: '9', continue: 'more' }, items }, CONFIG_MAPS)).toEqual({
    objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: '5' }, data: { x: '1' } }],
    resourceVersion: '9',
    next: 'more',
  });
});

test.each([{ items: null }, { items: [] }, {}])('an empty last page: %j', (fields) =>
  expect(readPage({ metadata: { resourceVersion: '9', continue: '' }, ...fields }, CONFIG_MAPS)).toEqual({
    objects: [],
    resourceVersion: '9',
    next: undefined,
  }),
);

test.each<[unknown, string]>([
  [null, 'the list is null'],
  [[], 'the list is []'],
  [{}, 'metadata of the list is nothing'],
  [{ metadata: {} }, 'metadata.resourceVersion of the list is nothing'],
  [{ metadata: { resourceVersion: 9 } }, 'metadata.resourceVersion of the list is 9'],
  [{ metadata: { resourceVersion: '9' }, items: {} }, 'items of the list is {}'],
  [{ metadata: { resourceVersion: '9' }, items: [null] }, 'the object is null'],
  [{ metadata: { resourceVersion: '9' }, items: [{ metadata: {} }] }, 'metadata.name of the object is nothing'],
])('no page: %j', (body, message) => {
  expect(() => readPage(body, CONFIG_MAPS)).toThrow(message);
});

test('an event, and a bookmark', () => {
  const object = { kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: '5' } };
  expect(readWatchLine(JSON.stringify({ type: 'MODIFIED', object }))).toEqual({
    type: 'MODIFIED',
    object,
    resourceVersion: '5',
  });
  const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } };
  expect(readWatchLine(JSON.stringify(bookmark))).toEqual({ type: 'BOOKMARK', resourceVersion: '7' });
});

test('an ERROR event is the error that it tells', () => {
  const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
  expect(() => readWatchLine(JSON.stringify({ type: 'ERROR', object }))).toThrow(
    new KubeError('API', 'too old', { status: 410, reason: 'Expired' }),
  );
  expect(() => readWatchLine('{"type":"ERROR","object":{"code":"x"}}')).toThrow('the watch ended with an error');
});

test.each([
  '',
  'null',
  '{"type":"ADDED","object":{"met',
  '{"type":"ADDED"}',
  '{"type":"ADDED","object":{"metadata":{"name":"a"}}}',
  '{"type":"ADDED","object":{"metadata":{"resourceVersion":"5"}}}',
  '{"type":"BOOKMARK","object":{}}',
  '{"type":"RENAMED","object":{"metadata":{"name":"a","resourceVersion":"5"}}}',
  '{"type":"ERROR","object":null}',
])('no event: %s', (line) => {
  expect(() => readWatchLine(line)).toThrow(expect.objectContaining({ code: 'INVALID_RESPONSE' }));
});
