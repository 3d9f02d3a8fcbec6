// What e2e/promises notes while it runs: one JSON line for each promise that was held under load.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const rowSchema = z.object({
  /** Of the test, such as `e2e/promises/rollout.test.ts`. */
  file: z.string(),
  /** A sentence. */
  promise: z.string(),
  /** Which application was asked, such as `flask-shop`. */
  app: z.string(),
  /** Sent, failed ones included. 0: nothing was to be asked. */
  requests: z.int().min(0),
  /** How many of each kind, such as `{"status 502": 1}`; kinds that did not happen may be left out. */
  failures: z.record(z.string(), z.int().min(0)),
  slowestMs: z.number().min(0),
  /** How long it was asked. */
  seconds: z.number().min(0),
  /** Another figure or a caveat, such as `new pods after 2.1 s`. */
  note: z.string().optional(),
});

export type PromiseRow = z.infer<typeof rowSchema>;

/** Files are tested one after the other: no line is torn by another's. */
export function appendRow(path: string, row: PromiseRow): void {
  appendFileSync(path, `${JSON.stringify(row)}\n`);
}

/** @returns the rows noted so far; none when there is no file */
export function readRows(path: string): PromiseRow[] {
  return existsSync(path) ? parseRows(readFileSync(path, 'utf8')) : [];
}

/** @throws Error with the number of the first line that is no row, and what is wrong with it */
export function parseRows(text: string): PromiseRow[] {
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseRow(line, index + 1)]));
}

function parseRow(line: string, number: number): PromiseRow {
  try {
    return rowSchema.parse(JSON.parse(line));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Error(`line ${number} of the rows is none: ${reason}\n${line.slice(0, 200)}`);
  }
}

/** @returns how many requests failed, whatever the kind */
export function failedOf({ failures }: PromiseRow): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}
