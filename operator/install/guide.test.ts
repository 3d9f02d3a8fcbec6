import { expect, test } from 'vitest';
import { fieldEffects } from './field-effects.ts';
import { fillGuide } from './guide.ts';

const EMPTY = ['rights', 'flags', 'fields']
  .map((name) => `before\n<!-- generated: ${name} -->\nSTALE\n<!-- /generated -->\nafter\n`)
  .join('');

test('the generated parts are made anew, what a person wrote stays', () => {
  const filled = fillGuide(EMPTY);
  expect(filled).not.toContain('STALE');
  expect(filled.match(/^before$/gm)).toHaveLength(3);
  expect(filled).toContain('| core | secrets | get, list, watch | Only Secrets that a WebApp names are read');
  expect(filled).toContain('  --namespaces A,B ');
  expect(fillGuide(filled)).toBe(filled);
});

test('a part that nobody makes, or that has gone, is not passed over', () => {
  expect(() => fillGuide(EMPTY.replace('rights', 'wrongs'))).toThrow('wrongs');
  expect(() => fillGuide(EMPTY.replace('<!-- generated: flags -->', ''))).toThrow('flags');
});

test('what a change of a field does is found by changing it', () => {
  const effects = fieldEffects();
  expect(effects['in place']).toEqual(expect.arrayContaining(['workers', 'health', 'proxy.timeouts', 'suspend']));
  expect(effects.both).toContain('image');
  expect(effects['worker pods']).toEqual(expect.arrayContaining(['app', 'env', 'resources']));
  expect(effects['proxy pods']).toContain('proxy.resources');
  expect(effects.migration).toEqual(['migrate.command']);
  expect(effects.objects).toContain('replicas');
});
