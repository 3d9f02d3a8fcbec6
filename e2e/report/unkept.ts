// Which tests of a run have failed, for the report.
import type { TestModule } from 'vitest/node';

/** @returns `FILE > DESCRIBE > TEST` of each, and files that broke before their tests. Skipped ones are no failures */
export function unkeptOf(modules: readonly TestModule[]): string[] {
  return modules.flatMap((module) => {
    const file = module.relativeModuleId;
    const tests = [...module.children.allTests('failed')].map(({ fullName }) => `${file} > ${fullName}`);
    return tests.length === 0 && module.state() === 'failed' ? [file] : tests;
  });
}
