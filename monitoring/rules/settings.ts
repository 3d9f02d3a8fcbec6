// What may differ between two installations of the same rules.

/** Placeholders that the chart's template replaces by what its values say. */
export const PLACEHOLDERS = {
  budget: 'ERROR_BUDGET',
  objective: 'OBJECTIVE_PERCENT',
  runbooks: 'RUNBOOKS_URL',
} as const;

export interface RuleSettings {
  /** Share of requests that may fail, as PromQL: `0.001`. */
  readonly budget: string;
  /** For people: `99.9`. */
  readonly objective: string;
  /** Where docs/runbooks/ can be read, without a slash at the end. */
  readonly runbooks: string;
  /** From a duration as it is meant to one as it is written: tests shorten windows and waits by it, and nothing else. */
  readonly time: (nominal: string) => string;
}

/** Percent of requests that shall not fail. */
export const DEFAULT_OBJECTIVE = 99.9;
export const DEFAULT_RUNBOOKS = 'https://webapp-operator.io/docs/runbooks';

/** @param objective percent */
export function makeSettings(objective = DEFAULT_OBJECTIVE, runbooks = DEFAULT_RUNBOOKS): RuleSettings {
  return { budget: budgetOf(objective), objective: String(objective), runbooks, time: (nominal) => nominal };
}

/** For the chart. */
export function makePlaceholders(): RuleSettings {
  return { ...PLACEHOLDERS, time: (nominal) => nominal };
}

/** Without what binary fractions add: 100 - 99.9 is 0.09999999999999432 there. */
function budgetOf(objective: number): string {
  return String(Number(((100 - objective) / 100).toPrecision(6)));
}
