// WebApps with every field of the schema, for tests that change one field at a time.
import { EVERY_FIELD as ONE, EVERY_OTHER_FIELD as OTHER } from '../../operator/webapp/render/testing/samples.ts';

export const API_VERSION = 'webapp-operator.io/v1alpha1';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export const webApp = (spec: object = {}, name = 'shop'): { [key: string]: Json } => ({
  apiVersion: API_VERSION,
  kind: 'WebApp',
  metadata: { name },
  spec: { image: 'registry.example.com/shop:1', app: 'shop:app', ...spec } as { [key: string]: Json },
});

/** The renderers' own samples: two, since some fields exclude each other. */
export const EVERY_FIELD: readonly { [key: string]: Json }[] = [webApp(ONE), webApp(OTHER)];
