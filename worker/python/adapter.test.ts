// The adapter's own unit tests, its side of the wire, and the Python that it may count on.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import * as wire from '../frames.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const adapter = join(folder, 'webapp_adapter');

async function python(...args: string[]): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'error' };
  try {
    return { ok: true, ...(await promisify(execFile)(inject('python'), args, { cwd: folder, env })) };
  } catch (error) {
    const { stdout = '', stderr = `${error}` } = error as { stdout?: string; stderr?: string };
    return { ok: false, stdout, stderr };
  }
}

test('the Python unit tests pass', async () => {
  const { ok, stderr } = await python(
    '-m',
    'unittest',
    'discover',
    '-p',
    '*_test.py',
    '-t',
    '.',
    '-s',
    'webapp_adapter',
  );
  expect(ok, stderr).toBe(true);
  expect(Number(/^Ran (\d+) tests/m.exec(stderr)?.[1])).toBeGreaterThan(30);
});

test('frames.py mirrors frames.ts', async () => {
  const code =
    'import json, webapp_adapter.frames as f; print(json.dumps({k: v for k, v in vars(f).items() if k.isupper() and isinstance(v, int)}))';
  const { stdout } = await python('-c', code);
  const { HEADER_BYTES, MAX_PAYLOAD, FRAME, REQUEST_FLAG } = wire;
  expect(JSON.parse(stdout)).toEqual({ HEADER_BYTES, MAX_PAYLOAD, ...FRAME, ...REQUEST_FLAG });
});

test('the adapter is Python 3.9 and imports the standard library only', async () => {
  const code = `
import ast, json, sys
imported = set()
for name in sys.argv[1:]:
    tree = ast.parse(open(name).read(), name, feature_version=(3, 9))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            imported.add(node.module.partition(".")[0])
print(json.dumps(sorted(imported - set(sys.stdlib_module_names) - {"webapp_adapter"})))
`;
  const files = [
    join(folder, 'main.py'),
    ...readdirSync(adapter)
      .filter((name) => name.endsWith('.py'))
      .map((name) => join(adapter, name)),
  ];
  const { ok, stdout, stderr } = await python('-c', code, ...files);
  expect(ok, stderr).toBe(true);
  // debugger.py asks for Werkzeug and does without it; preload.py looks at numpy only where the application has imported it.
  expect(JSON.parse(stdout)).toEqual(['werkzeug']);
  expect(readFileSync(join(adapter, 'debugger.py'), 'utf8')).toContain('except ImportError');
});

test('started by hand it says what it is for', async () => {
  const { ok, stderr } = await python('main.py', 'shop:app');
  expect(ok).toBe(false);
  expect(stderr).toContain('webapp-worker');
  expect(stderr).not.toContain('Traceback');
});
