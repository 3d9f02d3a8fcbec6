// What lies where in a native cluster's folder, for the processes that use it. Reads and writes, starts nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Orders are given to it (control.ts). */
export const SOCKET = 'holder.sock';
/** In the folder for temporary files. */
export const FOLDER_PREFIX = 'webapp-cluster-';
/** Written when there is a keeper: a folder that has it and no keeper is left over. */
export const DETAILS = 'cluster.json';

export interface Details {
  /** The API server's on the machine. */
  readonly port: number;
  readonly nodes: readonly string[];
  /** Begins the names of the cluster's cgroups, in every hierarchy. */
  readonly cgroup: string;
  /** Folder of the program. */
  readonly kubernetes: string;
}

export function writeDetails(folder: string, details: Details): void {
  writeFileSync(join(folder, DETAILS), JSON.stringify(details));
}

/** @throws Error when there is no cluster in the folder */
export function readDetails(folder: string): Details {
  try {
    return JSON.parse(readFileSync(join(folder, DETAILS), 'utf8')) as Details;
  } catch {
    throw new Error(`no cluster in ${folder} any more: start one with npm run cluster up`);
  }
}
