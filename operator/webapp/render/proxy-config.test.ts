import { describe, expect, it } from 'vitest';
import { proxyConfigOf } from './proxy-config.ts';
import { staticVersionOf } from './statics.ts';
import { inputOf, liveWebApp } from './testing/samples.ts';

describe('proxy.json', () => {
  const spec = { proxy: { static: [{ path: '/s', from: 'static' }] } };

  it('finds the workers by their EndpointSlices', () => {
    expect(proxyConfigOf(inputOf(liveWebApp()), []).groups).toEqual([
      {
        name: 'current',
        weight: 100,
        endpoints: [],
        discover: { namespace: 'web', service: 'shop-workers', port: 'http' },
      },
    ]);
  });

  it('serves the versions in the order given, or that of the image', () => {
    const input = inputOf(liveWebApp(spec));
    const folder = (image: string) => `/srv/static/${staticVersionOf(image).key}/static`;
    const foldersFor = (images: string[]) => proxyConfigOf(input, images.map(staticVersionOf)).static[0]?.directories;
    expect(foldersFor(['b', 'a'])).toEqual([folder('b'), folder('a')]);
    expect(foldersFor([])).toEqual([folder('registry.example.com/shop:1')]);
  });

  it('is a maintenance page while suspended', () => {
    expect(proxyConfigOf(inputOf(liveWebApp({ suspend: true })), []).maintenance).toBeDefined();
    expect(proxyConfigOf(inputOf(liveWebApp()), []).maintenance).toBeUndefined();
  });
});
