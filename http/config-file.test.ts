import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { type Problem, ProblemsError } from '../core/errors.ts';
import { type ConfigTiming, openConfigFile } from './config-file.ts';
import { eventually } from './test-door.ts';

const schema = z.strictObject({
  version: z.literal(1),
  limits: z.strictObject({ body: z.int().min(0) }),
  groups: z.array(z.strictObject({ name: z.string() })).optional(),
});
type Document = z.output<typeof schema>;

const FAST: ConfigTiming = { settleMs: 5, suspectMs: 300, pollMs: 600_000 };
/** Only the poll can see anything: the watch's events come too late. */
const POLLED: ConfigTiming = { settleMs: 600_000, suspectMs: 5, pollMs: 20 };

function text(body: number): string {
  return JSON.stringify({ version: 1, limits: { body } });
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'config-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function follow(path: string, timing = FAST) {
  const told: (number | readonly Problem[])[] = [];
  const file = await openConfigFile<Document>(
    path,
    schema,
    {
      onChange: (document) => told.push(document.limits.body),
      onInvalid: (problems) => told.push(problems),
    },
    timing,
  );
  onTestFinished(() => file.close());
  return { file, told };
}

/** A folder as the kubelet mounts a ConfigMap: worker.json → ..data/worker.json, ..data → ..generation. */
function mount(root: string, generation: number): void {
  const name = `..${generation}`;
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, 'worker.json'), text(generation));
  symlinkSync(name, join(root, '..data_tmp'));
  renameSync(join(root, '..data_tmp'), join(root, '..data'));
  rmSync(join(root, `..${generation - 1}`), { recursive: true, force: true });
}

test('the document is there when it has been opened', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(7));
  const { file, told } = await follow(path);
  expect(file.document).toEqual({ version: 1, limits: { body: 7 } });
  expect(told).toEqual([]);
});

test('Kubernetes swaps a symlink in the folder: each generation is told', async () => {
  const root = folder();
  mount(root, 1);
  symlinkSync('..data/worker.json', join(root, 'worker.json'));
  const { file, told } = await follow(join(root, 'worker.json'));
  expect(file.document.limits.body).toBe(1);
  for (const generation of [2, 3]) {
    mount(root, generation);
    await eventually(() => told.at(-1) === generation);
  }
  expect(told).toEqual([2, 3]);
});

test('an editor writes in place, or renames over: both are told', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(1));
  const { told } = await follow(path);
  writeFileSync(path, text(2));
  await eventually(() => told.at(-1) === 2);
  writeFileSync(`${path}.new`, text(3));
  renameSync(`${path}.new`, path);
  await eventually(() => told.at(-1) === 3);
  expect(told).toEqual([2, 3]);
});

test('without events, the poll sees it', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(1));
  const { told } = await follow(path, POLLED);
  writeFileSync(path, text(2));
  await eventually(() => told.at(-1) === 2);
});

test('a link that leads out of the folder is followed by the poll', async () => {
  const [root, elsewhere] = [folder(), folder()];
  writeFileSync(join(elsewhere, 'real.json'), text(1));
  symlinkSync(join(elsewhere, 'real.json'), join(root, 'a.json'));
  const { told } = await follow(join(root, 'a.json'), { ...FAST, pollMs: 20 });
  writeFileSync(join(elsewhere, 'real.json'), text(2));
  await eventually(() => told.at(-1) === 2);
});

test('a folder that is replaced is watched again', async () => {
  const root = folder();
  const place = join(root, 'mount');
  mkdirSync(place);
  writeFileSync(join(place, 'a.json'), text(1));
  const { told } = await follow(join(place, 'a.json'), { ...FAST, pollMs: 20 });
  renameSync(place, join(root, 'old'));
  mkdirSync(place);
  writeFileSync(join(place, 'a.json'), text(2));
  await eventually(() => told.at(-1) === 2);
  writeFileSync(join(place, 'a.json'), text(3));
  await eventually(() => told.at(-1) === 3);
});

test('the same content written again is not told', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(1));
  const { told } = await follow(path);
  writeFileSync(path, text(1));
  writeFileSync(`${path}.other`, 'not ours');
  writeFileSync(path, text(2));
  await eventually(() => told.length > 0);
  expect(told).toEqual([2]);
});

test('an invalid document is told once, with all its problems, and the valid one again after it', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(1));
  const { told } = await follow(path);
  writeFileSync(path, JSON.stringify({ version: 2, limits: { body: 'many' }, groups: [{ nam: 'x' }], more: true }));
  await eventually(() => told.length === 1);
  expect(told[0]).toEqual([
    expect.objectContaining({ field: 'version', value: '2' }),
    expect.objectContaining({ field: 'limits.body', value: '"many"' }),
    expect.objectContaining({ field: 'groups[0].name', message: 'is required' }),
    expect.objectContaining({ field: 'groups[0].nam', message: 'there is no such field' }),
    expect.objectContaining({ field: 'more', message: 'there is no such field' }),
  ]);
  writeFileSync(path, text(1));
  await eventually(() => told.length === 2);
  expect(told[1]).toBe(1);
});

test('a file that is being written is not taken for an invalid one', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(1));
  const { told } = await follow(path, { ...FAST, suspectMs: 600_000 });
  writeFileSync(path, text(2).slice(0, 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeFileSync(path, text(2));
  await eventually(() => told.length > 0);
  expect(told).toEqual([2]);
});

test('a file that is gone is a problem, until it is back', async () => {
  const path = join(folder(), 'a.json');
  writeFileSync(path, text(1));
  const { told } = await follow(path);
  unlinkSync(path);
  await eventually(() => told.length === 1);
  expect(told[0]).toEqual([expect.objectContaining({ field: '(file)', message: 'is not there' })]);
  writeFileSync(path, text(2));
  await eventually(() => told.length === 2);
  expect(told[1]).toBe(2);
});

test.each([
  ['not there', undefined, /is not there/],
  ['no JSON', '{"version": 1,', /is not JSON/],
  ['not valid', '{}', /limits: is required/],
  ['null', 'null', /\(document\)/],
  ['too large', ' '.repeat(5 * 1024 * 1024), /is larger than/],
])('a first document that is %s is thrown, with its problems', async (_what, content, message) => {
  const path = join(folder(), 'a.json');
  if (content !== undefined) writeFileSync(path, content);
  const error = await follow(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProblemsError);
  expect((error as Error).message).toMatch(message);
});

test('after close nothing is told', async () => {
  const root = folder();
  const [path, witness] = [join(root, 'a.json'), join(root, 'b.json')];
  writeFileSync(path, text(1));
  writeFileSync(witness, text(1));
  const closed = await follow(path);
  const open = await follow(witness);
  closed.file.close();
  closed.file.close();
  writeFileSync(path, text(2));
  writeFileSync(witness, text(2));
  await eventually(() => open.told.length > 0);
  expect(closed.told).toEqual([]);
});
