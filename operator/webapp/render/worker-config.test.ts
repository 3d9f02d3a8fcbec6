import { describe, expect, it } from 'vitest';
import type { Revision } from '../revision.ts';
import { makeWorkerRevision } from './revisions.ts';
import { EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp } from './testing/samples.ts';
import { workerConfigFor, workerConfigOf } from './worker-config.ts';

const MI = 2 ** 20;
const worker = (spec: object = {}) => workerConfigOf(inputOf(liveWebApp(spec)));
const memory = (limit: string) => ({ resources: { limits: { memory: limit } } });
const NODE = { app: 'server.js' };

describe('processes: auto', () => {
  it.each([
    [{}, 2],
    [{ limits: { cpu: 4 } }, 4],
    [{ limits: { cpu: '2500m' } }, 3],
    [{ limits: { cpu: '100m' } }, 2],
    [{ requests: { cpu: 3 } }, 3],
    [{ requests: { cpu: 1 }, limits: { cpu: 8 } }, 8],
    [{ limits: { cpu: 100_000 } }, 256],
  ])('%j: %i', (resources, processes) => {
    expect(worker({ resources }).processes).toBe(processes);
  });

  it('a number stays', () => {
    expect(worker({ workers: { processes: 1 }, resources: { limits: { cpu: 4 } } }).processes).toBe(1);
  });
});

describe('memory', () => {
  it.each([
    ['no limit, no bound', {}, undefined],
    ['an equal share of the limit', memory('512Mi'), 224 * MI],
    ['more processes, less each', { ...memory('512Mi'), workers: { processes: 4 } }, 112 * MI],
    ['the person’s word', { ...memory('512Mi'), workers: { maxMemory: '1Gi' } }, 1024 * MI],
    ['too little to share', memory('128Mi'), undefined],
    ['shared pages are not reckoned twice', { ...memory('512Mi'), workers: { preload: true } }, undefined],
  ])('%s', (_, spec, bytes) => {
    expect(worker(spec).maxMemoryBytes).toBe(bytes);
  });
});

describe('NODE_OPTIONS', () => {
  const own = (value: string) => ({ env: [{ name: 'NODE_OPTIONS', value }] });
  const hidden = { env: [{ name: 'NODE_OPTIONS', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }] };
  it.each([
    [
      'a heap of three quarters of the share',
      { ...NODE, ...memory('512Mi') },
      { NODE_OPTIONS: '--max-old-space-size=168' },
    ],
    [
      'follows the processes',
      { ...NODE, ...memory('512Mi'), workers: { processes: 4 } },
      { NODE_OPTIONS: '--max-old-space-size=84' },
    ],
    ['without a limit: Node’s own', NODE, {}],
    ['Python has none', memory('512Mi'), {}],
    [
      'the person’s are kept',
      { ...NODE, ...memory('512Mi'), ...own('--import tracer') },
      { NODE_OPTIONS: '--import tracer --max-old-space-size=168' },
    ],
    ['the person’s heap stands', { ...NODE, ...memory('512Mi'), ...own('--max-old-space-size=50') }, {}],
    ['what we cannot see stands', { ...NODE, ...memory('512Mi'), ...hidden }, {}],
    ['what may be in a Secret stands', { ...NODE, ...memory('512Mi'), envFrom: [{ secretRef: { name: 'a' } }] }, {}],
  ])('%s', (_, spec, env) => {
    expect(worker(spec).env).toEqual(env);
  });

  it('other variables are the pod’s: they do not change in place', () => {
    expect(worker({ env: [{ name: 'A', value: '1' }] }).env).toEqual({});
  });
});

describe('what belongs to a version', () => {
  const made = { inputs: 'i', number: 1, configHash: 'c' };
  const versionOf = (spec: object) => makeWorkerRevision(inputOf(liveWebApp(spec)), made);
  const configFor = (spec: object, revision: Revision) =>
    workerConfigFor(worker(spec), revision, inputOf(liveWebApp(spec)));

  it.each([{}, EVERY_FIELD, EVERY_OTHER_FIELD, { ...NODE, ...memory('512Mi') }])(
    'nothing is changed in the document of its own spec %#',
    (spec) => {
      expect(configFor(spec, versionOf(spec))).toEqual(worker(spec));
      expect(workerConfigFor(worker(spec), versionOf(spec))).toEqual(worker(spec));
    },
  );

  it('app and runtime are the version’s, the rest is the spec’s', () => {
    const now = { app: 'other:app', workers: { timeout: '5s' } };
    const expected = { ...worker(now), app: 'shop:app', hash: worker({ ...now, app: 'shop:app' }).hash };
    expect(configFor(now, versionOf({}))).toEqual(expected);
    expect(workerConfigFor(worker(now), versionOf({}))).toEqual(expected);
  });

  it('what follows from the resources follows from those of its pods', () => {
    const old = versionOf({ resources: { limits: { cpu: 3, memory: '512Mi' } } });
    const now = { resources: { limits: { cpu: 8, memory: '4Gi' } } };
    expect(configFor(now, old)).toMatchObject({ processes: 3, maxMemoryBytes: Math.floor((448 * MI) / 3) });
    expect(configFor({ ...now, workers: { processes: 4 } }, old)).toMatchObject({
      processes: 4,
      maxMemoryBytes: 112 * MI,
    });
  });

  it('threads and heap that nobody chose are those of its runtime', () => {
    const now = { ...NODE, ...memory('512Mi') };
    expect(configFor(now, versionOf(memory('512Mi')))).toMatchObject({ runtime: 'wsgi', threads: 1, env: {} });
    expect(configFor({ ...now, workers: { threads: 7 } }, versionOf({}))).toMatchObject({ threads: 7 });
  });

  it('hostile data of a revision is not believed', () => {
    const hostile = { ...versionOf({}), config: { app: 5, runtime: 'ruby', queue: 'x' }, template: { spec: 'none' } };
    expect(configFor({}, hostile)).toEqual(worker());
  });
});

describe('resources that a person laid over', () => {
  const laid = (resources: unknown) => ({
    ...memory('512Mi'),
    podTemplate: { spec: { containers: [{ name: 'app', resources }] } },
  });

  it.each([
    ['count', { limits: { memory: '576Mi', cpu: 3 } }, { processes: 3, maxMemoryBytes: (512 * MI) / 3 }],
    ['take a limit away', { limits: { memory: null } }, { processes: 2 }],
    ['are no resources', 'none', { processes: 2, maxMemoryBytes: 224 * MI }],
    ['are no quantities', { limits: { memory: 'much', cpu: {} } }, { processes: 2 }],
  ])('%s', (_, resources, expected) => {
    const { processes, maxMemoryBytes } = worker(laid(resources));
    expect({ processes, ...(maxMemoryBytes !== undefined && { maxMemoryBytes }) }).toEqual({
      ...expected,
      ...('maxMemoryBytes' in expected && { maxMemoryBytes: Math.floor(expected.maxMemoryBytes) }),
    });
  });
});
