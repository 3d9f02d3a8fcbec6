// `webapp up`: runs every WebApp of a manifest, or the application that is found, on this machine: the same two programs as in
// a cluster, from the same two documents.
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { clusterNotes } from './cluster-only.ts';
import type { UpOptions } from './command-line.ts';
import { developmentVariables } from './environment/development.ts';
import { makeInstaller } from './environment/installer.ts';
import { provideNodePackages } from './environment/node.ts';
import { providePython } from './environment/python.ts';
import { Failure } from './failure.ts';
import { formatFileProblem, type LoadedManifests, missingSources, shortPath } from './manifest.ts';
import { locate, type Origin } from './origin.ts';
import { openControl } from './run/control.ts';
import { type LivePage, makePages, openLivePage } from './run/live-page.ts';
import { ManifestWatch } from './run/manifest-watch.ts';
import { checkPort } from './run/port.ts';
import { openRunFolder } from './run/run-folder.ts';
import { allotPorts, type Provide, Session } from './run/session.ts';
import { SourceWatches } from './run/source-watches.ts';
import type { StopRequests } from './run/stop-requests.ts';
import { makeTarget, type Target } from './run/target.ts';
import { tracingFromVariables } from './run/tracing-variables.ts';
import { makePaint, wantsColour } from './terminal/paint.ts';
import { Reporter } from './terminal/reporter.ts';
import { type Output, Screen } from './terminal/screen.ts';

/** What the command is given of the process it runs in. */
export interface Surroundings {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Node. */
  readonly executable: string;
  readonly output: Output;
  readonly stops: StopRequests;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

const ROWS_MS = 250;
const INTERRUPTED = 130;

/**
 * @returns exit code
 * @throws Failure when something cannot be started; then nothing is left running
 */
export async function up(options: UpOptions, surroundings: Surroundings): Promise<number> {
  const { cwd, environment, output, now } = surroundings;
  const origin = locate(options.place, options.app, cwd, environment);
  if (options.print !== undefined) return printManifest(origin, options.print, cwd, output);
  const screen = new Screen(output, output.isTTY === true);
  const paint = makePaint(wantsColour(options, environment, screen.isTerminal));
  const reporter = new Reporter(screen, paint, options.verbose, now);
  screen.start();
  try {
    return await run(options, surroundings, origin, reporter);
  } finally {
    screen.close();
  }
}

function printManifest(origin: Origin, target: NonNullable<UpOptions['print']>, cwd: string, output: Output): number {
  if (!origin.inferred) {
    const mend = 'webapp render shows what it becomes';
    throw new Failure('FILE_EXISTS', 'there is a manifest already: nothing was inferred', mend);
  }
  const { manifest, folder } = origin.inferred;
  if (target === 'stdout') {
    output.write(manifest);
    return 0;
  }
  const file = resolve(cwd, target.file);
  if (existsSync(file))
    throw new Failure('FILE_EXISTS', `${target.file} exists already`, 'choose another name, or remove it');
  writeFileSync(file, manifest);
  output.write(`Saved ${shortPath(file, cwd)}. Run it: webapp up ${shortPath(folder, cwd)}\n`);
  return 0;
}

async function run(
  options: UpOptions,
  surroundings: Surroundings,
  origin: Origin,
  reporter: Reporter,
): Promise<number> {
  const { cwd, environment, executable, stops, now } = surroundings;
  sayWhatWasFound(origin, reporter, cwd);
  const loaded = origin.load();
  const targets = targetsOf(loaded, options, surroundings);
  reporter.expect(targets.map((target) => target.name));
  const notes = new NotesSaid(reporter, environment);
  notes.say(targets);
  for (const port of allotPorts(options.port, new Set(), targets.length)) await checkPort(options.host, port);
  if (options.reload) sayWhatReloadMeans(targets, options, reporter);

  const { host, reload, accessLog } = options;
  const folder = openRunFolder();
  const provide = makeProvide(environment, reload, reporter, stops.signal);
  const settings = { host, reload, accessLog, executable, environment, now };
  const session = new Session({ settings, folder, reporter, provide, port: options.port });
  const sources = new SourceWatches(session, reporter, provide);
  const manifests = new ManifestWatch(origin, loaded, (edited) =>
    takeEdit(edited, session, sources, options, reporter, notes, surroundings),
  );
  const rows = setInterval(() => reporter.rows(session.stacks.map((stack) => stack.view())), ROWS_MS);
  const pages = makePages(session);
  let closeControl: (() => void) | undefined;
  let live: LivePage | undefined;
  const watch = async (): Promise<void> => {
    manifests.start();
    if (reload) sources.sync();
    if (options.live === null) return;
    live = await openLivePage(options.live, pages);
    reporter.note(`  live page  ${live.url}`);
  };
  const unwatch = (): void => {
    manifests.close();
    sources.close();
  };
  try {
    closeControl = await openControl({ folder: folder.path, cwd, session, pages, reload });
    return await untilStopped(session, targets, stops, reporter, watch, unwatch);
  } finally {
    unwatch();
    pages.close();
    closeControl?.();
    await live?.close();
    clearInterval(rows);
    await session.kill(); // what is left when something failed; nothing otherwise
    folder.close();
  }
}

/** The first request to stop lets everything finish, the second ends it. */
async function untilStopped(
  session: Session,
  targets: readonly Target[],
  stops: StopRequests,
  reporter: Reporter,
  watch: () => Promise<void>,
  unwatch: () => void,
): Promise<number> {
  let isUp = false;
  const started = session.start(targets).then(() => {
    isUp = true;
  });
  await Promise.race([started, stops.first]);
  if (!stops.requested) {
    await watch();
    reporter.dim('Ctrl-C stops.');
    await stops.first;
  }
  unwatch();
  reporter.dim('Finishing what is being served, then stopping. Ctrl-C again stops at once.');
  started.catch(() => {}); // it was interrupted
  const drained = session.drain().then(() => (isUp ? 0 : INTERRUPTED));
  return Promise.race([drained, stops.second.then(() => INTERRUPTED)]);
}

/** @throws Failure MANIFEST_INVALID with every problem; USAGE when a variable that is needed cannot be used */
function targetsOf(loaded: LoadedManifests, options: UpOptions, { cwd, environment }: Surroundings): Target[] {
  const problems = [...loaded.problems, ...missingSources(loaded.webApps)];
  if (problems.length > 0 || loaded.webApps.length === 0) {
    const detail = problems.map((problem) => formatFileProblem(problem, cwd)).join('\n');
    const message = loaded.webApps.length + problems.length === 0 ? 'there is no WebApp' : 'the manifest is not valid';
    throw new Failure('MANIFEST_INVALID', message, 'mend it; webapp check says whether it is well', detail);
  }
  const isAsked = loaded.webApps.some(({ webApp }) => webApp.spec.tracing === undefined);
  const tracing = isAsked ? tracingFromVariables(environment) : undefined;
  return loaded.webApps.map((webApp) => makeTarget(webApp, { ...options, tracing }));
}

async function takeEdit(
  loaded: LoadedManifests,
  session: Session,
  sources: SourceWatches,
  options: UpOptions,
  reporter: Reporter,
  notes: NotesSaid,
  surroundings: Surroundings,
): Promise<void> {
  try {
    const targets = targetsOf(loaded, options, surroundings);
    reporter.expect(targets.map((target) => target.name));
    notes.say(targets);
    await session.converge(targets);
    if (options.reload) sources.sync();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const message = `${error.message}; what runs stays as it is`;
    reporter.failure(new Failure(error.code, message, 'mend it and save', error.detail));
  }
}

/** What of each WebApp is not done here, said once, and again when it is something else. */
class NotesSaid {
  readonly #reporter: Reporter;
  readonly #environment: Surroundings['environment'];
  readonly #said = new Map<string, string>();

  constructor(reporter: Reporter, environment: Surroundings['environment']) {
    this.#reporter = reporter;
    this.#environment = environment;
  }

  say(targets: readonly Target[]): void {
    for (const { name, webApp } of targets) {
      const notes = clusterNotes(webApp, this.#environment).join('; ');
      if (notes !== '' && notes !== this.#said.get(name)) this.#reporter.dim(`${name}: ${notes}.`);
      this.#said.set(name, notes);
    }
  }
}

function makeProvide(
  environment: Surroundings['environment'],
  reload: boolean,
  reporter: Reporter,
  signal: AbortSignal,
): Provide {
  return async ({ name, runtime, folders }) => {
    const view = { begin: (title: string) => reporter.progress.begin(`${name}: ${title}`) };
    const installer = makeInstaller(view, environment, signal);
    const own = reload && runtime === 'wsgi' ? developmentVariables(folders, environment) : {};
    if (runtime === 'wsgi') return { ...own, ...(await providePython(folders, environment, installer)) };
    await provideNodePackages(folders, installer);
    return {};
  };
}

function sayWhatWasFound(origin: Origin, reporter: Reporter, cwd: string): void {
  if (!origin.inferred) return;
  const { found, manifest, folder } = origin.inferred;
  const where = shortPath(folder, cwd);
  reporter.note(`Found ${article(found.framework)} ${found.framework} application: ${found.evidence}`);
  for (const sentence of found.notes) reporter.warn(`  ${sentence}`);
  reporter.dim(`There is no manifest ${where === '.' ? 'here' : `in ${where}`}; this one is used:\n`);
  reporter.dim(manifest.replace(/^/gm, '    ').trimEnd());
  reporter.dim(`\nTo keep it: webapp up${where === '.' ? '' : ` ${where}`} --print webapp.yaml\n`);
}

function article(word: string): string {
  return /^[aeiou]/i.test(word) ? 'an' : 'a';
}

function sayWhatReloadMeans(targets: readonly Target[], options: UpOptions, reporter: Reporter): void {
  const threads = targets.some((target) => target.runtime === 'wsgi') ? ' with 8 threads' : '';
  const ignored = options.processes === undefined ? '' : '; --processes is not looked at';
  reporter.dim(`Development: one process${threads}, new code is taken when it is saved${ignored}.`);
}
