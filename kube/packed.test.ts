import { expect, test } from 'vitest';
import { Packer } from './packed.ts';

function deployment(index: number): object {
  const name = `shop-${index}`;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: `team-${index % 7}`, uid: `${index}-c0ffee`, resourceVersion: `${index * 13}` },
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'app',
              image: `registry.example.com/${name}:1.${index % 9}`,
              args: ['--config', '/etc/webapp/worker.json'],
            },
          ],
        },
      },
    },
  };
}

test('what is packed comes back, across every dictionary', () => {
  const packer = new Packer();
  const objects = Array.from({ length: 20_000 }, (_, index) => deployment(index));
  const packed = objects.map((object) => packer.pack(object));
  for (const index of [0, 3, 4, 63, 64, 1_023, 1_024, 16_383, 16_384, 19_999])
    expect(packer.unpack(packed[index] ?? '')).toEqual(objects[index]);
});

test('objects alike are a fraction of their text', () => {
  const packer = new Packer();
  const sizes = Array.from({ length: 100 }, (_, index) => packer.pack(deployment(index)).length);
  expect(sizes[99]).toBeLessThan(JSON.stringify(deployment(99)).length / 3);
});

test.each<[string, object]>([
  ['nothing', {}],
  ['other alphabets', { text: 'Gürteltier 🦔 甲' }],
  ['half a character', { text: '\ud83e' }],
  ['control bytes', { text: '\u0000\u0001\n' }],
  ['a megabyte', { text: 'abc '.repeat(262_144) }],
  [
    'what does not deflate',
    { text: Array.from({ length: 500 }, (_, i) => String.fromCharCode(33 + ((i * i * 31) % 90))).join('') },
  ],
  ['a key of the prototype', JSON.parse('{"__proto__": {"a": 1}}') as object],
])('%s', (_, object) => {
  const packer = new Packer();
  for (let i = 0; i < 70; i++) expect(packer.unpack(packer.pack(object))).toEqual(object);
});
