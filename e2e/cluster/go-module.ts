// Files out of a Go module, at the version that a go.mod under programs/ pins and its go.sum vouches for.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const programs = fileURLToPath(new URL('programs/', import.meta.url));
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
const run = promisify(execFile);

export interface GoModule {
  /** Path; its files are read-only. */
  readonly folder: string;
  /** Such as `v1.6.3`. */
  readonly version: string;
}

/**
 * Downloads it when Go's module cache does not hold it yet.
 * @param pinnedBy folder under programs/
 * @throws Error with Go's own words
 */
export async function findGoModule(pinnedBy: string, module: string): Promise<GoModule> {
  const env = { ...process.env, GOWORK: 'off' };
  const options = { cwd: `${programs}${pinnedBy}`, env, timeout: DOWNLOAD_TIMEOUT_MS };
  try {
    const { stdout } = await run('go', ['mod', 'download', '-json', module], options);
    const { Dir, Version } = JSON.parse(stdout) as { readonly Dir: string; readonly Version: string };
    return { folder: Dir, version: Version };
  } catch (error) {
    throw new Error(`go mod download ${module}: ${goWords(error)}`);
  }
}

/** With -json, Go tells what went wrong on stdout, and what was wrong with the call on stderr. */
function goWords(error: unknown): string {
  const { message, stdout = '', stderr = '' } = error as Error & { readonly stdout?: string; readonly stderr?: string };
  const said = `${stdout}${stderr}`.trim();
  return said === '' ? message : said.slice(-2000);
}
