import { expect, test } from 'vitest';
import { configurationText } from './configuration.ts';

test('values of environments are hidden wherever they stand, names are not', () => {
  const text = configurationText({
    env: [
      { name: 'KEY', value: 'secret-1' },
      { name: 'REF', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ],
    podTemplate: { spec: { containers: [{ name: 'side', env: [{ name: 'OTHER', value: 'secret-2' }] }] } },
    absent: undefined,
  });
  expect(text).not.toMatch(/secret-\d|absent/);
  expect(text).toContain('name: KEY');
  expect(text).toContain('name: OTHER');
  expect(text).toContain('key: k');
});

test('other values are shown as they are written', () => {
  expect(configurationText({ workers: { processes: 3 }, app: 'shop:app' })).toBe(
    'workers:\n  processes: 3\napp: shop:app\n',
  );
});

test('it is bounded', () => {
  expect(configurationText({ files: [{ content: 'x'.repeat(1_000_000) }] }).length).toBeLessThan(70_000);
});
