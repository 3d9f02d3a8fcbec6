// The kind program, at the pinned version: the person's own when it is that one, else built from its Go module.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildProgram } from '../build.ts';
import { KIND_VERSION } from './config.ts';

/** @returns path, or the name on PATH. @throws Error when it must be built and Go is not there, or in Go's own words */
export async function findKind(): Promise<string> {
  return isPinned(versionOfOwn()) ? 'kind' : join(await buildProgram('kind'), 'kind');
}

/** @param said such as `kind v0.33.0 go1.26.8 linux/amd64` */
export function isPinned(said: string): boolean {
  return said.split(/\s+/)[1] === KIND_VERSION;
}

function versionOfOwn(): string {
  try {
    return execFileSync('kind', ['version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
  } catch {
    return '';
  }
}
