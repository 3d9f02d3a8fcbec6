// `webapp logs`: what a WebApp's programs and its application wrote, as `webapp up` shows it.

import { type LookSurroundings, roomOf } from './look.ts';
import type { LookCommand } from './look-command-line.ts';
import type { LogLine, Place } from './show/place.ts';
import { nameStyle, type Paint } from './terminal/paint.ts';
import { plainText } from './terminal/plain.ts';
import { accessText, readRecord, recordLines, visibleLine } from './terminal/program-line.ts';

/** @returns exit code @throws Failure */
export async function logs(
  command: Extract<LookCommand, { kind: 'logs' }>,
  place: Place,
  surroundings: LookSurroundings,
): Promise<number> {
  const { output, stops } = surroundings;
  const { paint } = roomOf(command, surroundings);
  const prefix = makePrefix(paint);
  const show = (line: LogLine): void => {
    const before = prefix(line);
    output.write(
      logLines(line, paint)
        .map((text) => `${before}${text}\n`)
        .join(''),
    );
  };
  await place.logs(command.name, command.wanted, show, stops.signal);
  return 0;
}

/** @returns lines for a person: a program's own record in words, what an application wrote as it wrote it. Colours stay only where colours are wanted */
export function logLines({ from, text }: Pick<LogLine, 'from' | 'text'>, paint: Paint): string[] {
  const record = readRecord(text);
  if (record) return recordLines(record, paint).map(visibleLine);
  const access = from === 'proxy' ? accessText(text, paint) : null;
  if (access !== null) return [visibleLine(access)];
  const isColoured = paint('bad', 'x') !== 'x';
  return [isColoured ? ended(visibleLine(text)) : visibleLine(text).replace(/\x1b\[[0-9;]*m/g, '')];
}

/** A colour that the application began and did not end must not run into the next line. */
const ended = (text: string): string => (text.includes('\x1b[') ? `${text}\x1b[0m` : text);

/** A pod keeps its colour; on this machine only the proxy is told apart. */
function makePrefix(paint: Paint): (line: LogLine) => string {
  const styles = new Map<string, number>();
  return ({ place, from }) => {
    if (place === '') return from === 'proxy' ? `${paint('dim', 'proxy │')} ` : '';
    const number = styles.get(place) ?? styles.size;
    styles.set(place, number);
    return `${paint(nameStyle(number), plainText(place))} ${paint('dim', '│')} `;
  };
}
