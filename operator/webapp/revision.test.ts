import { describe, expect, it } from 'vitest';
import { makeProxyRevision, makeWorkerRevision, renderControllerRevision } from './render/render.ts';
import { deepFreeze, EVERY_FIELD, inputOf, liveWebApp } from './render/testing/samples.ts';
import { parseRevision, type Revision, revisionData } from './revision.ts';

const webApp = liveWebApp(EVERY_FIELD);
const made = { inputs: 'inputs', number: 3, configHash: 'config' };
const worker = deepFreeze(makeWorkerRevision(inputOf(webApp), made));
const proxy = deepFreeze(makeProxyRevision(inputOf(webApp), [], made));
/** As the API server gives it back: keys in an order of its own. */
const throughServer = (revision: Revision) => {
  const object = renderControllerRevision(webApp, revision);
  return { ...object, data: reversed(object['data']) };
};

describe.each([
  ['worker', worker],
  ['proxy', proxy],
])('a version of the %s', (component, revision) => {
  it('comes back as it was, to the letter', () => {
    const back = parseRevision(throughServer(revision));
    expect(back).toEqual(revision);
    expect(JSON.stringify(back?.template)).toBe(JSON.stringify(revision.template));
  });

  it('is kept in a ControllerRevision by its number', () => {
    expect(renderControllerRevision(webApp, revision)).toMatchObject({
      metadata: {
        name: `shop-${component}-${revision.id}`,
        labels: { 'webapp-operator.io/revision': revision.id, 'app.kubernetes.io/component': component },
      },
      revision: 3,
    });
  });

  it.each(['id', 'component', 'number', 'inputs', 'image', 'template', 'configHash', 'version', 'checksum'])(
    'is not believed with another %s',
    (field) => {
      const object = throughServer(revision);
      expect(parseRevision({ ...object, data: { ...(object.data as object), [field]: 'other' } })).toBeUndefined();
      const { [field]: _, ...without } = object.data as Record<string, unknown>;
      expect(parseRevision({ ...object, data: without })).toBeUndefined();
    },
  );
});

it('what belongs to the worker’s version is its app and runtime', () => {
  expect(worker.config).toEqual({ app: 'shop:app', runtime: 'wsgi' });
  expect(proxy).not.toHaveProperty('config');
});

it.each([undefined, null, 'text', [], {}, { version: 1 }])('%j is no version of ours', (data) => {
  const object = renderControllerRevision(webApp, worker);
  expect(parseRevision({ ...object, data })).toBeUndefined();
});

it('what an operator to come has written is not guessed at', () => {
  const data = revisionData({ ...worker, version: 2, more: 'x' } as Revision);
  expect(parseRevision({ ...renderControllerRevision(webApp, worker), data })).toBeUndefined();
});

describe('the id', () => {
  const idOf = (spec: object, changes: object = {}) =>
    makeWorkerRevision(inputOf(liveWebApp(spec)), { ...made, ...changes }).id;

  it('is the same from run to run', () => {
    expect(idOf({})).toBe('a0113fb258');
  });

  it('is over inputs and template, not over number and configuration', () => {
    expect(idOf({}, { number: 9, configHash: 'other' })).toBe(idOf({}));
    expect(idOf({}, { inputs: 'other' })).not.toBe(idOf({}));
    expect(idOf({ image: 'other' })).not.toBe(idOf({}));
  });

  it('names the ConfigMap and the pods', () => {
    expect(worker.template).toMatchObject({ metadata: { labels: { 'webapp-operator.io/revision': worker.id } } });
    expect(JSON.stringify(worker.template)).toContain(`"name":"shop-worker-${worker.id}"`);
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, inside]) => [key, reversed(inside)]));
}
