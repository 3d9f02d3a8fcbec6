// The other commands of the same user, beside a `webapp up` that runs: what it runs is seen, its logs are had, its processes are more, fewer and others.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually, FLASK, folderOf, manifest, text, type Up, up } from './webapp-up.ts';

vi.setConfig({ testTimeout: 180_000 });

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const APP = `${FLASK}
@app.get('/die')
def die():
    os.kill(os.getpid(), 9)

@app.get('/say')
def say():
    print('colour \\x1b[31mred', flush=True)
    print('steer \\x1b[2Jthe terminal', flush=True)
    return 'said'
`;

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** A temp folder of its own, so that no other `webapp up` of this machine is among what is found. */
function ownTemp(): Record<string, string> {
  const folder = mkdtempSync(join('/tmp', 'oc-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { TMPDIR: folder };
}

/** Names are the test's own: /tmp is looked into, too. */
const nameOf = (): string => `shop-${process.pid}-${Math.random().toString(36).slice(2, 7)}`;

/** Not in step with this process: what it serves and asks meanwhile goes on. */
function webapp(variables: Record<string, string>, ...words: string[]): Promise<Said> {
  const env = { ...process.env, ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words], { env, timeout: 120_000 }, (error, out, said) =>
      resolve({ code: error ? Number(error.code) : 0, out, error: said }),
    );
  });
}

interface Seen {
  readonly picture: {
    readonly workers: readonly { readonly tiles: readonly { readonly pid?: number; readonly state: string }[] }[];
    readonly errors: readonly { readonly id: string; readonly path: string; readonly text: string }[];
    readonly deaths: readonly { readonly message: string }[];
  };
}

async function seen(variables: Record<string, string>, name: string): Promise<Seen['picture']> {
  const { out, error } = await webapp(variables, 'status', name, '-o', 'json');
  if (out === '') throw new Error(error);
  return (JSON.parse(out) as Seen).picture;
}

const pidsOf = ({ workers }: Seen['picture']): (number | undefined)[] =>
  workers.flatMap(({ tiles }) => tiles.map(({ pid }) => pid));

/** Asks again and again until it is stopped. @returns stop, which tells what failed */
function load(url: string): () => Promise<string[]> {
  const failures: string[] = [];
  let isOver = false;
  const done = (async () => {
    while (!isOver)
      await fetch(`${url}/pid`).then(
        async (answer) => answer.ok || failures.push(`${answer.status} ${await answer.text()}`),
        (error: Error) => failures.push(error.message),
      );
  })();
  return async () => {
    isOver = true;
    await done;
    return failures;
  };
}

async function start(
  name: string,
  variables: Record<string, string>,
  processes = 2,
): Promise<{ running: Up; url: string }> {
  const spec = `app: app:app, workers: {processes: ${processes}}`;
  const running = up(folderOf({ 'webapp.yaml': manifest(name, spec), 'app.py': APP }), '--port 0', variables);
  return { running, url: await running.url(name) };
}

test('status and top tell what users, processes and requests fare like, in the words of the log', async () => {
  const [name, variables] = [nameOf(), ownTemp()];
  const { running, url } = await start(name, variables);
  await fetch(`${url}/boom`);
  await fetch(`${url}/die`);
  await eventually(async () => expect((await seen(variables, name)).deaths.length).toBeGreaterThan(0));
  const { errors, deaths } = await seen(variables, name);
  const { code, out } = await webapp(variables, 'status', name);
  expect(code).toBe(0);
  expect(out).toContain(`${name}  webapp up, process ${running.pid}, in ${running.folder}`);
  expect(out).not.toContain('\u001b');
  const boom = errors.find(({ path }) => path === '/boom');
  const die = errors.find(({ path }) => path === '/die');
  expect(out).toMatch(new RegExp(`${boom?.id} +GET /boom +500 .*The application answered so\\.`));
  expect(out).toMatch(
    new RegExp(`${die?.id} +GET /die +502 .*The process that served the request died\\. PROCESS_DIED`),
  );
  expect(out).toMatch(/worker: [0-9a-f]{16}, applied/);
  // The same cause in the same words: here, in the terminal of `webapp up`, in the log.
  const [death] = deaths;
  expect(death?.message).toMatch(/killed .*SIGKILL/);
  expect(out).toContain(death?.message);
  expect(running.output()).toContain(death?.message);
  expect((await webapp(variables, 'logs', name)).out).toContain(death?.message);

  const slow = fetch(`${url}/slow`);
  await eventually(async () => expect((await webapp(variables, 'top')).out).toMatch(/ busy .* GET \/slow for /));
  expect((await webapp(variables, 'top')).out).toMatch(new RegExp(`^${name} +\\d/2 `, 'm'));
  await (await slow).text();
});

test('resize changes the number at once, the manifest stays as it is, and its next edit is what holds', async () => {
  const [name, variables] = [nameOf(), ownTemp()];
  const { running, url } = await start(name, variables);
  const file = join(running.folder, 'webapp.yaml');
  const before = readFileSync(file, 'utf8');
  const stop = load(url);
  const { code, out } = await webapp(variables, 'resize', name, '4');
  expect(code).toBe(0);
  expect(out).toBe(
    `${name}: workers.processes 2 → 4. The manifest is not changed: this holds until it is edited or webapp up ends.\n`,
  );
  await running.says(/applied until the manifest changes: workers\.processes 2 → 4/);
  await eventually(async () => expect(new Set(pidsOf(await seen(variables, name))).size).toBe(4));
  expect((await webapp(variables, 'resize', name, '4')).out).toBe(`${name} has 4 processes already.\n`);
  expect((await webapp(variables, 'resize', name, '1')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(before);
  running.write('webapp.yaml', manifest(name, 'app: app:app, workers: {processes: 3}'));
  await running.says(/applied: workers\.processes 1 → 3/);
  expect(await stop()).toEqual([]);
  const pods = await webapp(variables, 'resize', name, '--replicas', '2');
  expect(pods.code).toBe(2);
  expect(pods.error).toMatch(/^✗ there are no pods on this machine\n {2}→ /);
});

test('restart replaces every process and loses no request', async () => {
  const [name, variables] = [nameOf(), ownTemp()];
  const { url } = await start(name, variables);
  const before = pidsOf(await seen(variables, name));
  const stop = load(url);
  const { code, out } = await webapp(variables, 'restart', name);
  expect(out).toMatch(new RegExp(`^${name}: 2 processes replaced in .*\\.\n$`));
  expect(code).toBe(0);
  expect(await stop()).toEqual([]);
  const after = Number(await text(`${url}/pid`));
  expect(before).not.toContain(after);
});

test('a restart into an application that does not start says why, and what runs goes on', async () => {
  const [name, variables] = [nameOf(), ownTemp()];
  const { running, url } = await start(name, variables);
  running.write('app.py', 'import nowhere_to_be_found');
  const { code, error } = await webapp(variables, 'restart', name);
  expect(code).toBe(1);
  expect(error).toContain("ModuleNotFoundError: No module named 'nowhere_to_be_found'");
  expect(error).toMatch(new RegExp(`✗ ${name}: the new process does not start, those before it go on: `));
  expect(await text(url)).toBe('version one');
});

test('logs are replayed and followed, and do not steer the terminal', async () => {
  const [name, variables] = [nameOf(), ownTemp()];
  const { url } = await start(name, variables);
  await text(`${url}/say`);
  await eventually(async () =>
    expect((await webapp(variables, 'logs', name)).out).toContain('steer [2Jthe terminal\n'),
  );
  const { out } = await webapp(variables, 'logs', name, '-c', 'app');
  expect(out).toContain('colour red\n');
  expect(out).not.toContain('\u001b');
  expect((await webapp(variables, 'logs', name, '--tail', '1')).out.trimEnd().split('\n')).toHaveLength(1);
  expect((await webapp(variables, 'logs', name, '-c', 'proxy')).out).toMatch(/^proxy │ · listening /m);

  const follower = follow(variables, name);
  await eventually(async () => {
    await text(`${url}/say`); // again and again: it may not follow yet
    expect(follower.output()).toContain('colour red\n');
  });
  follower.child.kill('SIGINT');
  expect(await follower.ended).toBe(0);
});

function follow(
  variables: Record<string, string>,
  name: string,
): { child: ChildProcess; output(): string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [main, 'logs', name, '-f', '--tail', '0'], {
    env: { ...process.env, ...variables },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, output: () => output, ended };
}

test('several runs are shown together; a name that two have is an error that names both', async () => {
  const [one, two, variables] = [nameOf(), nameOf(), ownTemp()];
  const [first, second, third] = [
    await start(one, variables, 1),
    await start(two, variables, 1),
    await start(one, variables, 1),
  ];
  const { out } = await webapp(variables, 'status');
  expect(out).toMatch(new RegExp(`^${one} `, 'm'));
  expect(out).toMatch(new RegExp(`^${two} `, 'm'));
  const { code, error } = await webapp(variables, 'restart', one);
  expect(code).toBe(1);
  expect(error).toContain(`process ${first.running.pid} in `);
  expect(error).toContain(`process ${third.running.pid} in `);
  expect(error).not.toContain(String(second.running.pid));
  const unknown = await webapp(variables, 'status', 'nowhere');
  expect(unknown.code).toBe(1);
  expect(unknown.error).toMatch(/^✗ no WebApp nowhere runs here\n {2}→ there are: /);
  expect(unknown.error).toContain(two);
});

test('its socket is for this user alone, and a folder that another may enter is not taken for a run', async () => {
  const [name, variables] = [nameOf(), ownTemp()];
  const { running } = await start(name, variables, 1);
  const temp = variables['TMPDIR'] ?? '';
  const [folder = ''] = readdirSync(temp).filter((one) => one.startsWith(`webapp-up-${running.pid}-`));
  expect(statSync(join(temp, folder)).mode & 0o777).toBe(0o700);
  expect(statSync(join(temp, folder, 'control.sock')).mode & 0o777).toBe(0o600);

  const planted = join(temp, `webapp-up-${process.pid}-planted`);
  mkdirSync(planted);
  chmodSync(planted, 0o777);
  let asked = 0;
  const server = createServer((socket) => {
    asked++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(join(planted, 'control.sock'), resolve));
  onTestFinished(() => void server.close());
  expect((await webapp(variables, 'status', name)).code).toBe(0);
  expect(asked).toBe(0);
});
