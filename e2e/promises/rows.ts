// What was held, promise by promise, for the report: a JSON line each in the cluster's folder.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterState } from '../cluster/real-cluster.ts';

export interface PromiseRow {
  /** Of the test, such as `rollout.test.ts`. */
  readonly file: string;
  readonly promise: string;
  readonly app: string;
  readonly requests: number;
  /** Kind → count. Empty when none failed. */
  readonly failures: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly seconds: number;
  /** What else was timed: what → milliseconds. */
  readonly measuredMs?: Readonly<Record<string, number>>;
}

export const rowsFile = ({ folder }: ClusterState): string => join(folder, 'promises.jsonl');

export function recordRow(state: ClusterState, row: PromiseRow): void {
  appendFileSync(rowsFile(state), `${JSON.stringify(row)}\n`);
  const measured = Object.entries(row.measuredMs ?? {}).map(([what, ms]) => ` | ${what} ${Math.round(ms)} ms`);
  console.log(
    `${row.promise} | ${row.app} | ${row.requests} | failed ${JSON.stringify(row.failures)} | slowest ${Math.round(row.slowestMs)} ms${measured.join('')}`,
  );
}
