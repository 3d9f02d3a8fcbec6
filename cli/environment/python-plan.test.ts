import { expect, test } from 'vitest';
import { type PythonFacts, planPython } from './python-plan.ts';

const requirements = {
  folder: '/shop',
  file: 'requirements.txt',
  hash: 'new',
  installArguments: ['-r', 'requirements.txt'],
};
const onPath = { python: '/usr/bin/python3', version: [3, 11] } as const;
const active = { variable: 'VIRTUAL_ENV', path: '/mine', python: '/mine/bin/python' } as const;
const theirs = { path: '/shop/.venv', python: '/shop/.venv/bin/python' };
const ours = (state: 'making' | 'ready', hash = 'new') => ({ ...theirs, stamp: { state, hash, pid: 1 } });

test.each<[string, PythonFacts, object]>([
  [
    'an active environment goes first',
    { active, beside: theirs, requirements, onPath },
    { kind: 'use', python: active.python },
  ],
  [
    'an active environment without Python is passed over',
    { active: { variable: 'VIRTUAL_ENV', path: '/x' }, onPath },
    { kind: 'use', python: onPath.python },
  ],
  ['theirs is used as it is', { beside: theirs, requirements, onPath }, { kind: 'use', python: theirs.python }],
  [
    'theirs without Python is not touched',
    { beside: { path: '/shop/.venv' }, requirements, onPath },
    { kind: 'trouble' },
  ],
  ['ours, unchanged', { beside: ours('ready'), requirements }, { kind: 'use', python: theirs.python }],
  [
    'ours, requirements changed',
    { beside: ours('ready', 'old'), requirements, onPath },
    { kind: 'install', environment: '/shop/.venv' },
  ],
  ['ours, requirements removed', { beside: ours('ready', 'old'), onPath }, { kind: 'use', python: theirs.python }],
  ['ours, interrupted', { beside: ours('making'), requirements, onPath }, { kind: 'install', makeWith: onPath.python }],
  [
    'ours, its Python was removed',
    { beside: { path: '/shop/.venv', stamp: { state: 'ready', hash: 'new', pid: 1 } }, requirements, onPath },
    { kind: 'install', makeWith: onPath.python },
  ],
  [
    'requirements and nothing else',
    { requirements, onPath },
    { kind: 'install', environment: '/shop/.venv', makeWith: onPath.python },
  ],
  ['no requirements', { onPath }, { kind: 'use', python: onPath.python }],
  ['no Python', { requirements }, { kind: 'trouble', message: expect.stringContaining('no Python') }],
  [
    'an old Python',
    { onPath: { python: 'p', version: [3, 7] } },
    { kind: 'trouble', message: expect.stringContaining('3.7') },
  ],
  ['Python 2', { onPath: { python: 'p', version: [2, 7] } }, { kind: 'trouble' }],
])('%s', (_, facts, wanted) => {
  expect(planPython(facts)).toMatchObject(wanted);
});

test('an environment that is only updated is not made again', () => {
  expect(planPython({ beside: ours('ready', 'old'), requirements, onPath })).not.toHaveProperty('makeWith');
});
