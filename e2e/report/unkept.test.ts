// Which tests have failed, asked of a Vitest that really ran them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startVitest } from 'vitest/node';
import { unkeptOf } from './unkept.ts';

const TESTS = {
  'mixed.test.ts': `import { describe, expect, test } from 'vitest';
    test('holds', () => {});
    test.skip('is skipped', () => {});
    describe('a node', () => test('is drained', () => expect(1).toBe(2)));`,
  'broken.test.ts': `throw new Error('no cluster');`,
  'whole.test.ts': `import { test } from 'vitest'; test('holds', () => {});`,
};

test('failed tests are named, and files that broke; what held or was skipped is not', async () => {
  // Below the repository, so that `vitest` is found from there; git ignores this folder.
  const ignored = fileURLToPath(new URL('../../.vitest', import.meta.url));
  mkdirSync(ignored, { recursive: true });
  const root = mkdtempSync(join(ignored, 'run-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(TESTS)) writeFileSync(join(root, name), text);
  const vitest = await startVitest('test', [], { root, config: false, watch: false, reporters: [{}] });
  const unkept = unkeptOf(vitest.state.getTestModules());
  await vitest.close();
  process.exitCode = 0; // the inner run's failures are wanted
  expect(unkept.sort()).toEqual(['broken.test.ts', 'mixed.test.ts > a node > is drained']);
});
