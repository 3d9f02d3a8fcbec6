// Before any test: the Python that tests run real applications with. Tests read it by `inject('python')`.
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { pythonWith } from './python-env.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Absolute path of a python that has scripts/test-requirements.txt installed. */
    python: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide('python', pythonWith(fileURLToPath(new URL('test-requirements.txt', import.meta.url))));
}
