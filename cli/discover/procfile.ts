// A Procfile's `web` line already says how its writer serves the application. Pure.
import type { Rejections } from './found.ts';

export interface ServedBy {
  /** As the server is told it: `shop:app`, or `shop.wsgi` alone. */
  readonly target: string;
  /** Folder that the server changes into, '' for none. */
  readonly folder: string;
  /** The line, for people. */
  readonly line: string;
}

const SERVER = /(^|\/)(gunicorn|waitress-serve|uvicorn|hypercorn|daphne)$/;

/** @returns the application that `web: gunicorn …` names; lines of other servers are left to the other ways of looking */
export function servedByProcfile(text: string, rejected: Rejections): ServedBy | undefined {
  const line = /^web\s*:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? '';
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
  const server = words.findIndex((word) => SERVER.test(word));
  if (server < 0) return undefined;
  if (/uvicorn|hypercorn|daphne/.test(words[server] ?? '') || words.some((word) => /UvicornWorker/.test(word))) {
    rejected.push(`Procfile runs an ASGI application (${line}), which is not served yet: only WSGI is`);
    return undefined;
  }
  const behind = words.slice(server + 1);
  const target =
    behind.find((word) => /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?$/.test(word)) ??
    behind.find((word) => /^[A-Za-z_][\w.]*\.wsgi$/.test(word));
  return target === undefined ? undefined : { target, folder: folderOf(behind), line };
}

/** `--chdir src` or `--chdir=src`, when it stays inside the folder. */
function folderOf(words: readonly string[]): string {
  const at = words.findIndex((word) => /^--chdir(=|$)/.test(word));
  if (at < 0) return '';
  const folder = (words[at]?.split('=')[1] ?? words[at + 1] ?? '').replace(/^\.\/|\/+$/g, '');
  return folder === '.' || folder.startsWith('/') || folder.split('/').includes('..') ? '' : folder;
}
