// Finds the application in a folder without a manifest, as a person would: by what its files are called and say. Used by
// `webapp up`. Never imports or runs the application.
import type { SourceFolder } from './folder.ts';
import type { Found, Rejections } from './found.ts';
import { findNodeApp } from './node-app.ts';
import { findPythonApp } from './python-app.ts';

export type { Found, StaticFolder } from './found.ts';

/** Either an application, or what was looked at and why it is none: one sentence each. */
export type Discovery = { readonly found: Found } | { readonly rejected: readonly string[] };

/** @param environment of the person's shell: FLASK_APP counts */
export function discover(
  folder: SourceFolder,
  environment: Readonly<Record<string, string | undefined>> = {},
): Discovery {
  const rejected: Rejections = [];
  const python = findPythonApp(folder, environment, rejected);
  const node = findNodeApp(folder, python ? [] : rejected);
  if (python) return { found: node ? { ...python, notes: [...python.notes, bothSentence(python, node)] } : python };
  return node ? { found: node } : { rejected };
}

/** A package.json beside a Python application is mostly there for its browser scripts. */
function bothSentence(chosen: Found, other: Found): string {
  const evidence = other.evidence.replace(/ .*/, '');
  return `There is a Node server too (${other.app}, by ${evidence}): the Python application was chosen; for the other: webapp up --app ${other.app} (instead of ${chosen.app}).`;
}
