// Real virtual environments, without any package: no network is asked.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type Installer, makeInstaller } from './installer.ts';
import { providePython } from './python.ts';

const shell = { PATH: process.env['PATH'], HOME: process.env['HOME'], PIP_NO_INDEX: '1' };

function folderWith(requirements: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'python-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'requirements.txt'), requirements);
  return folder;
}

function recordingInstaller(signal = new AbortController().signal): { installer: Installer; titles: string[] } {
  const titles: string[] = [];
  const view = {
    begin: (title: string) => {
      titles.push(title);
      return { detail: () => {}, done: () => {} };
    },
  };
  return { installer: makeInstaller(view, shell, signal), titles };
}

test('the environment is made once, updated when the requirements change, and repaired when that was interrupted', async () => {
  const folder = folderWith('# nothing yet\n');
  const { installer, titles } = recordingInstaller();
  const python = join(folder, '.venv/bin/python');
  const made = await providePython([folder], shell, installer);
  expect(made).toMatchObject({ WEBAPP_PYTHON: python, VIRTUAL_ENV: join(folder, '.venv') });
  expect(made['PATH']?.startsWith(join(folder, '.venv/bin:'))).toBe(true);
  expect(titles).toEqual(['making .venv, once: from requirements.txt']);
  const { ino } = statSync(join(folder, '.venv'));

  await providePython([folder], shell, installer);
  expect(titles).toHaveLength(1);

  writeFileSync(join(folder, 'requirements.txt'), '# nothing at all\n');
  await providePython([folder], shell, installer);
  expect(titles.at(-1)).toBe('updating .venv, once: requirements.txt has changed');
  expect(statSync(join(folder, '.venv')).ino).toBe(ino);

  writeFileSync(join(folder, '.venv/made-by-webapp.json'), '{"state":"making","ha');
  rmSync(join(folder, '.venv/lib'), { recursive: true });
  await providePython([folder], shell, installer);
  expect(titles.at(-1)).toBe('making .venv, once: an earlier run was interrupted');
  expect(existsSync(join(folder, '.venv/lib'))).toBe(true);
}, 120_000);

test('a failure says what pip said, and the next run begins anew', async () => {
  const folder = folderWith('./not-there\n');
  const { installer } = recordingInstaller();
  const failure = providePython([folder], shell, installer);
  await expect(failure).rejects.toMatchObject({
    code: 'INSTALL_FAILED',
    message: 'the packages of requirements.txt could not be installed',
    detail: expect.stringContaining('not-there'),
  });
  expect(readFileSync(join(folder, '.venv/made-by-webapp.json'), 'utf8')).toContain('"making"');
}, 120_000);

test('Ctrl-C while installing ends it', async () => {
  const folder = folderWith('# nothing\n');
  const { installer } = recordingInstaller(AbortSignal.abort());
  await expect(providePython([folder], shell, installer)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('an active environment is used as it is, whatever the requirements say', async () => {
  const folder = folderWith('./not-there\n');
  const { installer, titles } = recordingInstaller();
  const active = join(inject('python'), '../..');
  const variables = await providePython([folder], { ...shell, VIRTUAL_ENV: active }, installer);
  expect(variables['WEBAPP_PYTHON']).toBe(join(active, 'bin/python'));
  expect(titles).toEqual([]);
});

test('without any Python, one message says so', async () => {
  const folder = folderWith('flask\n');
  const { installer } = recordingInstaller();
  await expect(providePython([folder], { PATH: '/nowhere' }, installer)).rejects.toMatchObject({
    code: 'NO_PYTHON',
    message: expect.stringContaining('no Python'),
    mend: expect.stringContaining('install Python 3'),
  });
});
