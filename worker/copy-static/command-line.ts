// The command line of `webapp-worker copy-static`. Pure.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';

/** One folder and where its files go; both absolute. */
export interface CopyPair {
  readonly from: string;
  readonly to: string;
}

export interface CopyOrder {
  readonly pairs: readonly CopyPair[];
  /** A folder to copy from that is not there is passed over: earlier versions of an application had fewer. */
  readonly skipMissing: boolean;
}

export const COPY_HELP = `Usage:
  webapp-worker copy-static --from FOLDER --to FOLDER [--from FOLDER --to FOLDER]... [--skip-missing]

Copies the files that a proxy may serve, with their times, so that equal files have equal ETags everywhere. Run in the
application's image, before the proxy starts. Twice is safe. What is in --to already and not in --from stays.

      --from FOLDER        relative to this one
      --to FOLDER          made when it is not there
      --skip-missing       a --from that is not there is passed over, as in the image of an earlier version
  -h, --help

Exit codes: 0 copied, 2 the command line, 3 a --from is not there, 4 a file could not be written.
`;

const OPTIONS = {
  from: { type: 'string', multiple: true },
  to: { type: 'string', multiple: true },
  'skip-missing': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const MEND = 'Write --from static --to /static, as often as there are folders.';

/**
 * @param args behind `copy-static`
 * @param cwd absolute
 * @throws UsageError
 */
export function parseCopyStatic(args: readonly string[], cwd: string): CopyOrder | 'help' {
  const { from = [], to = [], 'skip-missing': skipMissing = false, help } = parse(args);
  if (help) return 'help';
  if (from.length === 0) throw new UsageError('No folder is given.', MEND);
  if (from.length !== to.length)
    throw new UsageError(`There are ${from.length} --from and ${to.length} --to: each needs its other.`, MEND);
  const pairs = from.map((folder, i) => ({
    from: folderAt(cwd, '--from', folder),
    to: folderAt(cwd, '--to', to[i] ?? ''),
  }));
  return { pairs, skipMissing };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw new UsageError(`${said.replace(/\.$/, '')}.`, MEND);
  }
}

function folderAt(cwd: string, flag: string, folder: string): string {
  if (folder === '') throw new UsageError(`${flag} is empty.`, MEND);
  return resolve(cwd, folder);
}
