// What the two programs say, for people: their log lines and the proxy's access log, both JSON. What an application prints is
// not touched. Pure.
import { formatProblem, type Problem } from '../../core/errors.ts';
import type { LogLevel } from '../../core/log.ts';
import type { Paint, Style } from './paint.ts';

/** A line of a program's own log. */
export interface ProgramRecord {
  readonly level: LogLevel;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The programs' log begins every line with these three, in this order; an application's own JSON does not. */
const OURS = /^\{"time":"[0-9T:.-]+Z","level":"(debug|info|warn|error)","msg":"/;

/** @returns the record, or null when the line is none of ours */
export function readRecord(line: string): ProgramRecord | null {
  if (!OURS.test(line)) return null;
  try {
    const { time: _, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    return { level: level as LogLevel, msg: String(msg), fields };
  } catch {
    return null;
  }
}

/** @returns the line that `readRecord` reads */
export function recordText({ level, msg, fields }: ProgramRecord, wallMs: number): string {
  return JSON.stringify({ time: new Date(wallMs).toISOString(), level, msg, ...fields });
}

/** The message says these already, or only software reads them. */
const SAID = new Set([
  'process',
  'pid',
  'cause',
  'exitCode',
  'signal',
  'code',
  'reason',
  'mend',
  'traceback',
  'problems',
  'hash',
]);
const MARKS: Record<LogLevel, readonly [Style, string]> = {
  debug: ['dim', '·'],
  info: ['dim', '·'],
  warn: ['warning', '!'],
  error: ['bad', '✗'],
};

/** @returns lines for people: the message, what the fields add, the mend, and above them the application's traceback */
export function recordLines({ level, msg, fields }: ProgramRecord, paint: Paint): string[] {
  const [style, mark] = MARKS[level];
  const reason = textOf(fields['reason']);
  const rest = Object.entries(fields)
    .filter(([key, value]) => !SAID.has(key) && value !== null && value !== '')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const head = `${paint(style, `${mark} ${msg}${reason && `: ${reason}`}`)}${rest.length > 0 ? ` ${paint('dim', rest.join(' '))}` : ''}`;
  const mend = textOf(fields['mend']);
  const problems = Array.isArray(fields['problems']) ? (fields['problems'] as Problem[]) : [];
  return [
    ...linesOf(textOf(fields['traceback'])).map((line) => paint('dim', line)),
    ...linesOf(head),
    ...problems.flatMap((problem) => linesOf(formatProblem(problem))),
    ...(mend && problems.length === 0 ? [`  → ${mend}`] : []),
  ];
}

/** @returns `GET /cart 200 12 ms` for a line of the access log; null when it is none */
export function accessText(line: string, paint: Paint): string | null {
  if (!line.startsWith('{"time":"')) return null;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (typeof entry['method'] !== 'string' || typeof entry['target'] !== 'string') return null;
    const status = Number(entry['status']);
    const style = status >= 500 ? 'bad' : status >= 400 ? 'warning' : status >= 300 ? 'dim' : 'good';
    const shown = status === 0 || entry['gone'] === true ? 'client left' : String(status);
    const fault = typeof entry['fault'] === 'string' ? ` ${paint('dim', entry['fault'])}` : '';
    return `${entry['method']} ${entry['target']} ${paint(style, shown)} ${paint('dim', formatMs(Number(entry['ms'])))}${fault}`;
  } catch {
    return null;
  }
}

export function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Colours, or a control character: what an application logs of its clients must not steer the terminal. */
const CONTROL = /\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** A line that overwrites itself (a progress bar) is shown as it ended. */
export function visibleLine(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1).replace(CONTROL, (part) => (part.length > 1 ? part : ''));
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.trimEnd().split('\n');
}
