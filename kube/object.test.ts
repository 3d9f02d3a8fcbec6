import { expect, test } from 'vitest';
import { apiVersionOf, controllerOf, keyOf, pathOf, type Resource, splitKey } from './object.ts';

const DEPLOYMENTS: Resource = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};
const NODES: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

test.each([
  [DEPLOYMENTS, {}, '/apis/apps/v1/deployments'],
  [DEPLOYMENTS, { namespace: 'shop' }, '/apis/apps/v1/namespaces/shop/deployments'],
  [DEPLOYMENTS, { namespace: 'shop', name: 'web' }, '/apis/apps/v1/namespaces/shop/deployments/web'],
  [
    DEPLOYMENTS,
    { namespace: 'a', name: 'b', subresource: 'status' },
    '/apis/apps/v1/namespaces/a/deployments/b/status',
  ],
  [NODES, { namespace: 'ignored', name: 'n1' }, '/api/v1/nodes/n1'],
  [NODES, { name: '../x?y#z' }, '/api/v1/nodes/..%2Fx%3Fy%23z'],
])('%#: the path of a place', (resource, place, path) => {
  expect(pathOf(resource, place)).toBe(path);
});

test.each(['', '.', '..'])('%j as a name or namespace would be another path: refused', (name) => {
  expect(() => pathOf(NODES, { name })).toThrow(RangeError);
  expect(() => pathOf(DEPLOYMENTS, { namespace: name })).toThrow(RangeError);
});

test('keys go both ways', () => {
  expect(splitKey(keyOf({ metadata: { name: 'web', namespace: 'shop' } }))).toEqual({ namespace: 'shop', name: 'web' });
  expect(splitKey(keyOf({ metadata: { name: 'n1' } }))).toEqual({ namespace: undefined, name: 'n1' });
});

test('apiVersion of the core group has no group; only an owner that controls is the controller', () => {
  expect([apiVersionOf(NODES), apiVersionOf(DEPLOYMENTS)]).toEqual(['v1', 'apps/v1']);
  const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: '1' };
  const controller = { ...owner, uid: '2', controller: true };
  expect(controllerOf({ metadata: { name: 'a', ownerReferences: [owner, controller] } })).toBe(controller);
  expect(controllerOf({ metadata: { name: 'a', ownerReferences: [owner] } })).toBeUndefined();
});
