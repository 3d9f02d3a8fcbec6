// An application that does not start, and what its author is told.
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { makeLog } from '../../../core/log.ts';
import { makeNodeRuntime } from '../node.ts';
import type { BootFailure } from '../runtime.ts';
import { TestApp } from './test-app.ts';

let app: TestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

interface Case {
  readonly files: Record<string, string>;
  readonly app?: string;
  readonly reason: RegExp;
  readonly mend: RegExp;
  readonly traceback?: RegExp;
}

const CASES: Record<string, Case> = {
  'a file that is not there': {
    files: {},
    app: 'shop.js',
    reason: /^There is no file \/.*\/shop\.js$/,
    mend: /relative to the application folder/,
  },
  'a package that is not installed, CommonJS': {
    files: { 'server.js': `require('not-there/sub')` },
    reason: /^Cannot find package 'not-there', imported from \/.*\/server\.js$/,
    mend: /^Run `npm install not-there` in \//,
    traceback: /server\.js:1/,
  },
  'a package that is not installed, ES module': {
    files: { 'server.mjs': `import '@scope/not-there'` },
    reason: /^Cannot find package '@scope\/not-there', imported from \/.*\/server\.mjs$/,
    mend: /^Run `npm install @scope\/not-there` in \//,
  },
  'a package that package.json names': {
    files: { 'server.js': `require('not-there')`, 'package.json': '{"dependencies": {"not-there": "1"}}' },
    reason: /'not-there'/,
    mend: /^Run `npm install` in .*node_modules does not have it/,
  },
  'a module of its own that is not there': {
    files: { 'server.mjs': `import './routes.js'` },
    reason: /^Cannot find module '\/.*\/routes\.js', imported from \/.*\/server\.mjs$/,
    mend: /path of the import/,
  },
  'a syntax error, CommonJS': {
    files: { 'server.js': 'const a = 1;\nconst b = ;\nmodule.exports = b;' },
    reason: /^SyntaxError: Unexpected token ';' \(\/.*\/server\.js:2\)$/,
    mend: /^Mend \/.*\/server\.js:2\.$/,
    traceback: /const b = ;\n +\^/,
  },
  'a syntax error in an ES module that is imported': {
    files: { 'server.mjs': `import './lib/b.mjs'`, 'lib/b.mjs': 'export const a = 1;\n\nexport const b = ;' },
    reason: /^SyntaxError: .* \(\/.*\/lib\/b\.mjs:3\)$/,
    mend: /^Mend \/.*\/lib\/b\.mjs:3\.$/,
    traceback: /export const b = ;\n +\^/,
  },
  'a name that is not exported': {
    files: { 'server.mjs': `import { nope } from 'node:fs'` },
    reason: /does not provide an export named 'nope' \(\/.*\/server\.mjs:1\)$/,
    mend: /server\.mjs:1/,
  },
  'TypeScript that is more than types': {
    files: { 'server.ts': 'enum A { B }\nexport default () => A.B' },
    reason: /enum is not supported in strip-only mode \(\/.*\/server\.ts:1\)$/,
    mend: /erasable syntax/,
  },
  'require in an ES module': {
    files: { 'server.mjs': `\nconst fs = require('fs')` },
    reason: /^ReferenceError: require is not defined in ES module scope/,
    mend: /import in an ES module/,
    traceback: /server\.mjs:2/,
  },
  'an error that it throws': {
    files: { 'server.js': `\nconst settings = undefined;\nmodule.exports = settings.app;` },
    reason: /^TypeError: Cannot read properties of undefined \(reading 'app'\)$/,
    mend: /^Mend \/.*\/server\.js:3: it throws while it is loaded\.$/,
    traceback: /at Object\.<anonymous> \(\/.*\/server\.js:3:/,
  },
  'an error of a library, with its place in the application': {
    files: { 'server.mjs': `import express from 'express';\n\nexpress().get('/*', () => {});` },
    reason: /^TypeError: Missing parameter name/,
    mend: /^Mend \/.*\/server\.mjs:3: /,
    traceback: /server\.mjs:3/,
  },
  'something thrown that is no error': {
    files: { 'server.js': `throw 'no error'` },
    reason: /threw 'no error' while it was loaded/,
    mend: /Throw Errors/,
  },
  'a promise that is rejected, as in main()': {
    files: {
      'server.js': `async function main() { await 1; throw new Error('no database') }\nmain(); setInterval(() => {}, 1000)`,
    },
    reason: /^Error: no database$/,
    mend: /server\.js:1/,
    traceback: /server\.js:1/,
  },
  'an exit of its own': {
    files: { 'server.js': `process.exit(9)` },
    reason: /process\.exit with code 9/,
    mend: /printed before/,
  },
  'nothing that serves': {
    files: { 'server.js': `exports.settings = {}; exports.PORT = 3; exports.App = class {}` },
    reason:
      /exports nothing that serves requests and does not listen; its exports: settings \(an object\), PORT \(a number\), App \(a class\)$/,
    mend: /Export a \(req, res\) function/,
  },
  'no exports at all': {
    files: { 'server.mjs': `console.error('begun')` },
    reason: /its exports: none$/,
    mend: /call listen\(\)/,
  },
  'an export that is not there': {
    files: { 'server.js': `exports.app = () => {}; exports.PORT = 3` },
    app: 'server.js:application',
    reason: /^There is no export "application"; there is app \(a function\), PORT \(a number\)$/,
    mend: /Export application, or name another/,
  },
  'an export that cannot serve': {
    files: { 'server.js': `exports.app = { port: 3 }` },
    app: 'server.js:app',
    reason: /^The export "app" is an object, which cannot serve requests$/,
    mend: /Export a \(req, res\) function/,
  },
  'a factory that is none': {
    files: { 'server.js': `exports.app = 3` },
    app: 'server.js:app()',
    reason: /^The export "app" is a number, not a function$/,
    mend: /without \(\)/,
  },
  'a factory that throws': {
    files: { 'server.mjs': `export async function make() { throw new RangeError('too far') }` },
    app: 'server.mjs:make()',
    reason: /^RangeError: too far$/,
    mend: /server\.mjs:1/,
  },
  'an await that never ends': {
    files: { 'server.mjs': `await new Promise(() => {}); export default () => {}` },
    reason: /awaits something at its top level that never comes$/,
    mend: /top-level awaits/,
  },
  'a second server whose port is taken': {
    files: {
      'server.js': `const net = require('node:net');
        const first = net.createServer().listen(0, '127.0.0.1', () => {
          net.createServer().listen(first.address().port, '127.0.0.1') })`,
    },
    reason: /listens on a second address, and it is taken: listen EADDRINUSE.* 127\.0\.0\.1/,
    mend: /workers\.processes to 1/,
  },
  'a cluster of its own': {
    files: {
      'server.js': `const cluster = require('node:cluster');
        if (cluster.isPrimary) cluster.fork(); else require('node:http').createServer().listen(0)`,
    },
    reason: /starts processes of its own by node:cluster/,
    mend: /workers\.processes/,
  },
};

describe('reason, mend and traceback for', () => {
  test.each(Object.entries(CASES))('%s', async (_name, { files, app: reference, reason, mend, traceback }) => {
    app = new TestApp(files, reference === undefined ? {} : { app: reference });
    const failure = await app.failure();
    expect(failure.reason).toMatch(reason);
    expect(failure.mend).toMatch(mend);
    if (traceback !== undefined) expect(failure.traceback).toMatch(traceback);
    expect(failure.traceback).not.toMatch(/node:internal|runtimes\/node-app/);
    expect(await app.exited).toEqual({ code: 3, signal: null });
    expect(app.story).toEqual(['pid', 'boot-failed', 'exit']);
  });
});

describe('a process that ends without a word', () => {
  test('by an option that its Node refuses', async () => {
    app = new TestApp({ 'server.js': '' }, { env: { NODE_OPTIONS: '--not-an-option' } });
    expect((await app.failure()).reason).toBe('The process ended while it was starting, with code 9');
    expect(app.story).toEqual(['pid', 'boot-failed', 'exit']);
  });

  test('by a signal', async () => {
    app = new TestApp({ 'server.js': `process.kill(process.pid, 'SIGKILL')` });
    expect((await app.failure()).reason).toBe('The process ended while it was starting, by SIGKILL');
  });
});

test('a process that cannot be started is a failure and an exit, after start has returned', async () => {
  const told: unknown[] = [];
  const log = makeLog(
    () => undefined,
    () => 0,
  );
  const spec = { app: 'a.js', env: {}, threads: 1, preload: false, development: false, trustForwarded: false };
  const limits = { bodyBytes: 1, bodyMemoryBytes: 1, headBytes: 1, responseBufferBytes: 1, connections: 1 };
  for (const [directory, runDirectory] of [
    ['/not/there', '/tmp'],
    ['/', `/${'long'.repeat(40)}`],
  ] as const) {
    const { promise, resolve } = Promise.withResolvers<void>();
    makeNodeRuntime({ ...spec, directory, limits }, runDirectory, log).start(1, {
      onPid: () => told.push('pid'),
      onReady: () => told.push('ready'),
      onBootFailed: ({ reason }: BootFailure) => told.push(reason),
      onExit: () => resolve(told.push('exit') as never),
    });
    told.push('started');
    await promise;
  }
  expect(told).toEqual([
    'started',
    expect.stringMatching(/^The process could not be started: spawn .* ENOENT/),
    'exit',
    'started',
    expect.stringMatching(/^The process could not be started: the path of its socket is longer/),
    'exit',
  ]);
  expect(existsSync('/tmp/node-1.sock')).toBe(false);
});
