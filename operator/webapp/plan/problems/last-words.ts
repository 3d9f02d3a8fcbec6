// What a container said last: its termination message, which is the end of its log. Our programs write JSON lines with `reason`, `mend` and
// `traceback`; of anything else the last lines are shown.
import { lastLines } from '../bounded-text.ts';
import { fieldsOf, textOf } from '../json-fields.ts';

export interface LastWords {
  /** Machine word of our programs, such as BOOT_FAILED. */
  readonly code?: string;
  readonly mend?: string;
  /** For people. */
  readonly text: string;
}

const MAX_LINES = 12;
const MAX_TEXT = 1_500;
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

export function readLastWords(message: string | undefined): LastWords {
  const lines = (message ?? '').split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.toReversed()) {
    const words = ofOurLine(line);
    if (words) return words;
  }
  return salvaged(lines[0]) ?? { text: lastLines(lines.join('\n'), MAX_LINES, MAX_TEXT) };
}

function ofOurLine(line: string): LastWords | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const fields = fieldsOf(JSON.parse(line));
    if (fields['level'] !== 'error') return undefined;
    return ofFields({
      msg: textOf(fields['msg']),
      code: textOf(fields['code']),
      reason: textOf(fields['reason']),
      mend: textOf(fields['mend']),
      traceback: textOf(fields['traceback']),
    });
  } catch {
    return undefined;
  }
}

type Told = Record<'msg' | 'code' | 'reason' | 'mend' | 'traceback', string | undefined>;

function ofFields({ msg, code, reason, mend, traceback }: Told): LastWords {
  const text = [reason ?? msg, traceback].filter((part) => part !== undefined && part.trim() !== '').join('\n');
  return {
    ...(code !== undefined && CODE.test(code) && { code }),
    ...(mend !== undefined && { mend }),
    text: lastLines(text, MAX_LINES, MAX_TEXT),
  };
}

/** The end of one of our lines whose beginning was cut off: what is whole in it, and the end of the text that it begins in. */
function salvaged(line: string | undefined): LastWords | undefined {
  if (line === undefined || !line.endsWith('}') || line.startsWith('{')) return undefined;
  const text = (key: string) => unescaped(new RegExp(`"${key}":"((?:[^"\\\\]|\\\\.)*)"`).exec(line)?.[1]);
  const code = text('code');
  const reason = text('reason');
  const mend = text('mend');
  const traceback = text('traceback') ?? unescaped(/^…?((?:[^"\\]|\\.)*)"[,}]/.exec(line)?.[1]);
  if (code === undefined && mend === undefined && traceback === undefined) return undefined;
  return ofFields({ msg: undefined, code, reason, mend, traceback });
}

function unescaped(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  // The cut may have gone through an escape.
  return text
    .replace(/^(u[0-9a-f]{0,4}|[nrt"\\](?=\S))/, '')
    .replaceAll('\\n', '\n')
    .replaceAll('\\"', '"')
    .replaceAll('\\t', '\t')
    .replaceAll('\\\\', '\\');
}
