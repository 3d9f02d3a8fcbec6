// The operator may not know the programs' insides: that their command lines are as pods write them is held here, by the programs' own parsers.
import { expect, test } from 'vitest';
import { makeProxyRevision, makeWorkerRevision, staticVersionOf } from '../../operator/webapp/render/render.ts';
import { EVERY_FIELD, EVERY_OTHER_FIELD, inputOf, liveWebApp } from '../../operator/webapp/render/testing/samples.ts';
import type { Revision } from '../../operator/webapp/revision.ts';
import { parseFlags } from '../../proxy/flags.ts';
import { parseCommand } from '../../worker/flags.ts';

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
}

const made = { inputs: 'i', number: 1, configHash: 'c' };
const statics = ['shop:2', 'shop:1'].map(staticVersionOf);
const surroundings = { cwd: '/srv/shop', port: undefined, webConcurrency: undefined };

function containersOf({ template }: Revision): { own: Container; init: readonly Container[] } {
  const { containers, initContainers = [] } = template['spec'] as Record<string, readonly Container[]>;
  const own = containers?.find(({ name }) => name === 'app' || name === 'proxy');
  if (own === undefined) throw new Error('there is no container of ours');
  return { own, init: initContainers };
}

test.each([EVERY_FIELD, EVERY_OTHER_FIELD])('the worker %#', (spec) => {
  const { own } = containersOf(makeWorkerRevision(inputOf(liveWebApp(spec)), made));
  expect(own.command).toEqual(['webapp-worker']);
  expect(parseCommand(own.args, surroundings)).toMatchObject({
    kind: 'run',
    settings: {
      source: { file: '/etc/webapp/worker.json' },
      listen: { host: '0.0.0.0', port: 8000 },
      admin: { host: '0.0.0.0', port: 9000 },
      directory: '/srv/shop',
      drainDelayMs: 5000,
      onBootError: 'exit',
    },
  });
});

test('the proxy', () => {
  const { own } = containersOf(makeProxyRevision(inputOf(liveWebApp(EVERY_FIELD)), statics, made));
  expect(own.command).toEqual(['webapp-proxy']);
  expect(parseFlags(own.args)).toMatchObject({
    config: '/etc/webapp/proxy.json',
    listen: { host: '0.0.0.0', port: 8080 },
    admin: { host: '0.0.0.0', port: 9090 },
    drainDelayMs: 5000,
  });
});

test('the copy of static files, strict about the version that is served first', () => {
  const folders = ['static', '-x'].map((from) => ({ path: `/${from}`, from }));
  const webApp = liveWebApp({ proxy: { static: folders } });
  const { init } = containersOf(makeProxyRevision(inputOf(webApp), statics, made));
  const orders = init.map(({ args }) => parseCommand(args, surroundings));
  expect(orders).toEqual(
    statics.map(({ key }, index) => ({
      kind: 'copy-static',
      order: {
        skipMissing: index > 0,
        pairs: ['static', '-x'].map((from) => ({ from: `/srv/shop/${from}`, to: `/srv/static/${key}/${from}` })),
      },
    })),
  );
});
