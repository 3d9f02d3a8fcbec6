import { expect, test } from 'vitest';
import { useCluster } from './fixture.ts';

const cluster = useCluster({ kwok: { nodes: 2 } });

test('pods of a Deployment become Ready on kwok nodes', async () => {
  const namespace = await cluster().makeNamespace();
  await cluster().kubectlOk(['create', 'deployment', 'shop', '--image=shop', '--replicas=3', `-n=${namespace}`]);
  const wait = ['wait', '--for=condition=Available', 'deployment/shop', `-n=${namespace}`, '--timeout=60s'];
  expect(await cluster().kubectlOk(wait)).toContain('condition met');
});
