import { defineConfig } from 'vitest/config';

// Three projects: `unit` holds what stands beside its source; `e2e` holds what real programs keep under load and on a real
// control plane; `promises` (npm run e2e) what is kept on a real cluster. The latter two one file at a time, because two loads on one small machine
// measure each other. A hang fails as an assertion within the timeouts here.
export default defineConfig({
  test: {
    reporters: ['default', './scripts/count-reporter.ts'],
    globalSetup: ['scripts/test-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{core,http,kube,tracing,live,monitoring,worker,proxy,operator,cli,bench,scripts,examples}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/{laptop,operator,cluster,monitoring,report}/**/*.test.ts'],
          fileParallelism: false,
          // Without Go there is no control plane, and what needs one is skipped; in CI that would hide it.
          provide: { clusterIsMust: process.env['CI'] !== undefined },
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'promises',
          include: ['e2e/promises/**/*.test.ts'],
          globalSetup: ['e2e/promises/setup.ts'],
          fileParallelism: false,
          provide: { clusterIsMust: process.env['CI'] !== undefined },
          testTimeout: 600_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
