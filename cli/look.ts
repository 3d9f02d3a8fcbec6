// `webapp status` and `webapp top`: what runs, here or in a cluster, looked at once or again and again.
import { Failure } from './failure.ts';
import type { Output as Form, LookCommand } from './look-command-line.ts';
import type { StopRequests } from './run/stop-requests.ts';
import { jsonText, yamlText } from './show/output.ts';
import type { Place } from './show/place.ts';
import type { Sight } from './show/sight.ts';
import { statusLines } from './show/status-text.ts';
import { processLines, type Room, webAppLines } from './show/tables.ts';
import { makePaint, wantsColour } from './terminal/paint.ts';
import { plainText } from './terminal/plain.ts';
import { type Output, Screen, SIZE } from './terminal/screen.ts';

export interface LookSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly stops: StopRequests;
}

type Look = Extract<LookCommand, { kind: 'status' | 'top' }>;

/** @returns exit code @throws Failure */
export async function look(command: Look, place: Place, surroundings: LookSurroundings): Promise<number> {
  const { output } = surroundings;
  const isTerminal = output.isTTY === true;
  if (command.kind === 'top' && isTerminal && command.output === 'table') return top(command, place, surroundings);
  const room = roomOf(command, surroundings);
  const text =
    command.kind === 'status' ? await statusText(command, place, room) : await onceText(command, place, room);
  output.write(text);
  return 0;
}

export function roomOf({ noColor }: { readonly noColor: boolean }, { environment, output }: LookSurroundings): Room {
  const isTerminal = output.isTTY === true;
  return {
    width: isTerminal ? output.columns || SIZE.columns : Number.POSITIVE_INFINITY,
    paint: makePaint(wantsColour({ noColor }, environment, isTerminal)),
  };
}

async function statusText({ name, output }: Look, place: Place, room: Room): Promise<string> {
  if (name !== undefined) return sightText(await place.sight(name), output, room);
  const { sights, notes } = await place.list();
  const [only] = sights;
  // One that is alone on this machine is the one that is meant.
  if (only?.run && sights.length === 1 && output === 'table')
    return sightText(await place.sight(only.picture.name), output, room);
  return listText(sights, notes, output, place, room, false);
}

async function onceText({ name, output }: Look, place: Place, room: Room): Promise<string> {
  if (name !== undefined && output !== 'table') return sightText(await place.sight(name), output, room);
  const { sights, notes } = name === undefined ? await place.list() : { sights: [await place.sight(name)], notes: [] };
  return listText(sights, notes, output, place, room, true);
}

function sightText(sight: Sight, output: Form, room: Room): string {
  if (output === 'json') return jsonText({ kind: 'WebAppSight', ...sight });
  if (output === 'yaml') return yamlText({ kind: 'WebAppSight', ...sight });
  return `${statusLines(sight, room).join('\n')}\n`;
}

function listText(
  sights: readonly Sight[],
  notes: readonly string[],
  output: Form,
  place: Place,
  room: Room,
  withProcesses: boolean,
): string {
  if (output !== 'table') {
    const list = { kind: 'WebAppSightList', items: sights, notes };
    return output === 'json' ? jsonText(list) : yamlText(list);
  }
  return `${tableOf(sights, notes, place, room, withProcesses).join('\n')}\n`;
}

/** @throws Failure NOT_RUNNING when there is none */
function tableOf(
  sights: readonly Sight[],
  notes: readonly string[],
  place: Place,
  room: Room,
  withProcesses: boolean,
): string[] {
  const said = notes.map((note) => room.paint('warning', `! ${plainText(note)}`));
  if (sights.length === 0) {
    const mend =
      place.words === 'this machine'
        ? 'start one with webapp up; for a cluster say which: --context NAME, or -n NAMESPACE'
        : 'make one with kubectl apply, or name another namespace with -n; -A: all';
    throw new Failure('NOT_RUNNING', `there is no WebApp (${place.words})`, mend, said.join('\n'));
  }
  const processes = withProcesses ? processLines(sights, sights.length > 1, room) : [];
  return [
    ...webAppLines(sights, place.withNamespaces, room),
    ...(processes.length > 0 ? ['', ...processes] : []),
    ...(said.length > 0 ? ['', ...said] : []),
  ];
}

/** Redrawn in place until Ctrl-C. What cannot be had for a moment is said in the table's place, and tried again. */
async function top(command: Look, place: Place, surroundings: LookSurroundings): Promise<number> {
  const { output, stops } = surroundings;
  const screen = new Screen(output, true);
  screen.start();
  let isFirst = true;
  try {
    while (!stops.requested) {
      const rows = await rowsOf(command, place, roomOf(command, surroundings), isFirst);
      isFirst = false;
      screen.stay(rows);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, place.everyMs)), stops.first]);
    }
    return 0;
  } finally {
    screen.close();
  }
}

async function rowsOf({ name }: Look, place: Place, room: Room, mustSucceed: boolean): Promise<string[]> {
  const time = new Date().toTimeString().slice(0, 8);
  const title = room.paint('dim', `${plainText(place.words)}  ${time}  Ctrl-C ends`);
  try {
    const { sights, notes } =
      name === undefined ? await place.list() : { sights: [await place.sight(name)], notes: [] };
    return [title, ...tableOf(sights, notes, place, room, true)];
  } catch (error) {
    if (mustSucceed || !(error instanceof Failure)) throw error;
    return [title, room.paint('bad', `✗ ${plainText(error.message)}`), `  → ${plainText(error.mend)}`];
  }
}
