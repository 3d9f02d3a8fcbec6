// How a Node application process is started: program, flags, environment. Pure but for looking where the program's file is.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AppSpec } from '../runtime.ts';
import { type AppSettings, SETTINGS_VARIABLE } from './settings.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the front adds to a head: preface, framing. Bytes. */
const HEAD_MARGIN = 4 * 1024;
/** What applications read as the port to listen on. They listen where we want, but some do not start without it. */
const DEFAULT_PORT = '8000';

/** @param environment of the worker program; the application's own is laid over it */
export function makeCommand(spec: AppSpec, settings: AppSettings, environment: NodeJS.ProcessEnv): Command {
  return {
    file: process.execPath,
    args: [`--max-http-header-size=${spec.limits.headBytes + HEAD_MARGIN}`, appProgram()],
    env: {
      PORT: DEFAULT_PORT,
      // Express and others cache views and hide stacks only when it is set.
      ...(spec.development ? {} : { NODE_ENV: 'production' }),
      ...defined(environment),
      ...spec.env,
      [SETTINGS_VARIABLE]: JSON.stringify(settings),
    },
  };
}

function defined(environment: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** @returns absolute path of the application process's program: beside the bundle, or in the source tree */
export function appProgram(): string {
  const bundled = fileURLToPath(new URL('./webapp-node-app.mjs', import.meta.url));
  return existsSync(bundled) ? bundled : fileURLToPath(new URL('../node-app/main.ts', import.meta.url));
}
