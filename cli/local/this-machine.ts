// WebApps that `webapp up` runs on this machine, as a place.
import type { Picture } from '../../live/picture.ts';
import { count, formatMs } from '../../live/words.ts';
import { Failure } from '../failure.ts';
import type { RunDocument } from '../run/control-words.ts';
import type { Place, Size } from '../show/place.ts';
import type { Sight } from '../show/sight.ts';
import { plainText } from '../terminal/plain.ts';
import { askRun, findRuns, order, type Run, readLogs } from './runs.ts';

const START = 'start it with webapp up; for a cluster say which: --context NAME, or -n NAMESPACE';
const RESTART_MS = 120_000;
const LOOK_MS = 200;

interface Running {
  readonly run: Run;
  readonly document: RunDocument;
}

export function thisMachine(): Place {
  return {
    words: 'this machine',
    withNamespaces: false,
    everyMs: 1_000,
    list: async () => {
      const { running, notes } = await askAll();
      return { sights: running.flatMap(sightsOf), notes };
    },
    sight: async (name) => {
      const [sight] = sightsOf(await find(name, true));
      if (sight === undefined) throw new Failure('NOT_RUNNING', `${name} has just ended`, START);
      return sight;
    },
    logs: async (name, { tail, sinceMs, from, follow }, onLine, signal) => {
      const { run } = await find(name);
      const asked = {
        name,
        tail,
        follow,
        ...(sinceMs !== undefined && { sinceAt: Date.now() - sinceMs }),
        ...(from !== undefined && { from }),
      };
      await readLogs(run, asked, ({ from: origin, text }) => onLine({ place: '', from: origin, text }), signal);
    },
    resize: async (name, size) => resize(name, size, (await find(name)).run),
    restart: async (name) => restart(name, (await find(name)).run),
    close: () => {},
  };
}

/** One that ends while it is asked is none; one that cannot be understood is told of. */
async function askAll(name?: string): Promise<{ running: Running[]; notes: string[] }> {
  const notes: string[] = [];
  const asked = await Promise.all(
    findRuns().map(async (run): Promise<Running | undefined> => {
      try {
        return { run, document: await askRun(run, name) };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        notes.push(`${error.message}; ${error.mend}`);
        return undefined;
      }
    }),
  );
  return { running: asked.filter((one) => one !== undefined), notes };
}

/** @param whole with its picture: a look at its programs. @throws Failure UNKNOWN_NAME | NOT_RUNNING */
async function find(name: string, whole = false): Promise<Running> {
  // A name that no WebApp has: only what there is, is told.
  const { running, notes } = await askAll(whole ? name : '');
  return pickRun(name, running, notes);
}

/** Pure. @throws Failure UNKNOWN_NAME | NOT_RUNNING */
export function pickRun<R extends { readonly document: Pick<RunDocument, 'pid' | 'cwd' | 'names'> }>(
  name: string,
  running: readonly R[],
  notes: readonly string[] = [],
): R {
  const having = running.filter(({ document }) => document.names.includes(name));
  const [one, another] = having;
  if (one && !another) return one;
  const runs = having.map(({ document: { pid, cwd } }) => plainText(`process ${pid} in ${cwd}`));
  if (one)
    throw new Failure(
      'UNKNOWN_NAME',
      `${count(runs.length, 'webapp up')} have a WebApp ${plainText(name)}: ${runs.join('; ')}`,
      'end one, or give one of them another name',
    );
  if (running.length === 0) throw new Failure('NOT_RUNNING', ['no webapp up runs here', ...notes].join('; '), START);
  const there = running.flatMap(({ document }) => document.names).toSorted();
  throw new Failure('UNKNOWN_NAME', `no WebApp ${plainText(name)} runs here`, `there are: ${there.join(', ')}`);
}

function sightsOf({ document: { webApps, pid, cwd } }: Running): Sight[] {
  return webApps.map(({ picture, sample }) => ({ picture, sample, run: { pid, cwd } }));
}

async function resize(name: string, { processes, replicas }: Size, run: Run): Promise<string> {
  if (replicas !== undefined || processes === undefined)
    throw new Failure(
      'USAGE',
      'there are no pods on this machine',
      'write the number of processes: webapp resize NAME N',
    );
  const { changes } = await order(run, '/resize', { name, processes });
  if (changes.length === 0) return `${name} has ${count(processes, 'process')} already.`;
  return `${name}: ${changes.join(', ')}. The manifest is not changed: this holds until it is edited or webapp up ends.`;
}

/** Waits until every process is another one. */
async function restart(name: string, run: Run): Promise<string> {
  const before = await pictureOf(name, run);
  const pids = new Set(pidsOf(before));
  const began = performance.now();
  await order(run, '/restart', { name });
  for (;;) {
    const now = await pictureOf(name, run);
    const passedMs = performance.now() - began;
    if (isReplaced(now, pids)) return `${name}: ${count(pids.size, 'process')} replaced in ${formatMs(passedMs)}.`;
    const failed = now.deaths.find(({ agoMs, cause }) => agoMs < passedMs && BOOT_CAUSES.has(cause));
    if (failed) {
      const message = `${name}: the new process does not start, those before it go on: ${plainText(failed.message)}`;
      throw new Failure('REFUSED', message, 'mend the application; it is tried again by itself', failed.traceback);
    }
    if (passedMs > RESTART_MS) {
      const message = `${name}: not every process was replaced within ${formatMs(RESTART_MS)}`;
      throw new Failure('REFUSED', message, `webapp status ${name} shows how they are; those that serve finish first`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const BOOT_CAUSES = new Set(['boot', 'boot-timeout']);

async function pictureOf(name: string, run: Run): Promise<Picture> {
  const { webApps } = await askRun(run, name);
  const [webApp] = webApps;
  if (!webApp) throw new Failure('NOT_RUNNING', `${name} has just ended`, START);
  return webApp.picture;
}

const pidsOf = ({ workers }: Picture): number[] =>
  workers.flatMap(({ tiles }) => tiles.flatMap(({ pid }) => pid ?? []));

/** Those that leave may finish what they have. */
function isReplaced(picture: Picture, before: ReadonlySet<number>): boolean {
  const staying = picture.workers.flatMap(({ tiles }) => tiles).filter(({ state }) => state !== 'draining');
  const { ready, desired } = picture.now.processes;
  return ready >= desired && staying.every(({ pid }) => pid === undefined || !before.has(pid));
}
