// What a change of each field of the spec does to pods that run: found by changing it in a WebApp that has every field, and looking at what the renderers
// make of it. For docs/guide-operator.md.
import { z } from 'zod';
import { type WebApp, webAppSchema } from '../../core/app/schema.ts';
import { unwrap } from '../../core/app/validate.ts';
import type { Settings } from '../settings.ts';
import { OPTIONAL_KINDS, type OptionalKind } from '../webapp/kinds.ts';
import type { LiveWebApp } from '../webapp/observed.ts';
import {
  makeProxyRevision,
  makeWorkerRevision,
  migrationKey,
  proxyConfigOf,
  proxyInputs,
  type RenderInput,
  renderBase,
  renderProxyDeployment,
  renderWorkerDeployment,
  staticVersionOf,
  workerConfigOf,
  workerInputs,
} from '../webapp/render/render.ts';
import { SAMPLES } from './samples.ts';

/** The first that applies. `nothing`: only the operator reads it. */
export const EFFECTS = ['both', 'worker pods', 'proxy pods', 'migration', 'in place', 'objects', 'nothing'] as const;
export type Effect = (typeof EFFECTS)[number];

type Path = readonly (string | number)[];
interface Leaf {
  readonly path: Path;
  /** Values to try in its place. */
  readonly others: readonly unknown[];
}

const SETTINGS: Settings = { proxyImage: 'webapp-proxy', clusterDomain: 'cluster.local', drainDelayMs: 5_000 };
const APIS: ReadonlySet<OptionalKind> = new Set(Object.keys(OPTIONAL_KINDS) as OptionalKind[]);

/** @returns effect → fields, without `spec.`; a field stands for all below it when they are alike */
export function fieldEffects(): Readonly<Record<Effect, readonly string[]>> {
  const effects = new Map<string, Effect>();
  for (const webApp of SAMPLES['every-field.yaml']?.webApps ?? []) {
    const whole = webAppSchema.parse(webApp);
    for (const leaf of leavesOf(webAppSchema.shape.spec, whole.spec, [])) {
      const name = leaf.path.filter((key) => typeof key === 'string').join('.');
      effects.set(name, strongest([effects.get(name) ?? 'nothing', effectOf(whole, leaf)]));
    }
  }
  const folded = fold([...effects], 0);
  return Object.fromEntries(
    EFFECTS.map((effect) => [effect, folded.filter(([, found]) => found === effect).map(([name]) => name)]),
  ) as Record<Effect, string[]>;
}

function strongest(effects: readonly Effect[]): Effect {
  return EFFECTS.find((effect) => effects.includes(effect)) ?? 'nothing';
}

/** Fields with the same beginning of `depth` words, in order; alike ones become that beginning. */
function fold(effects: readonly (readonly [string, Effect])[], depth: number): (readonly [string, Effect])[] {
  const groups = Map.groupBy(effects, ([name]) =>
    name
      .split('.')
      .slice(0, depth + 1)
      .join('.'),
  );
  return [...groups].flatMap(([beginning, group]) => {
    const [first] = group;
    const alike = first !== undefined && group.every(([, effect]) => effect === first[1]);
    return alike ? [[beginning, first[1]] as const] : fold(group, depth + 1);
  });
}

function effectOf(webApp: WebApp, { path, others }: Leaf): Effect {
  const before = partsOf(webApp);
  return strongest(
    others.map((other) => {
      const after = partsOf({ ...webApp, spec: changed(webApp.spec, path, other) as WebApp['spec'] });
      const differs = (part: keyof typeof before) => before[part] !== after[part];
      if (differs('worker pods') && differs('proxy pods')) return 'both';
      return EFFECTS.find((effect) => effect in before && differs(effect as keyof typeof before)) ?? 'nothing';
    }),
  );
}

function partsOf(webApp: WebApp) {
  const metadata = { name: webApp.metadata.name, namespace: 'default', uid: '', generation: 1 };
  const live: LiveWebApp = { ...webApp, metadata };
  const input: RenderInput = { webApp: live, settings: SETTINGS, apis: APIS };
  const statics = [staticVersionOf(webApp.spec.image)];
  return {
    'worker pods': workerInputs(input, []),
    'proxy pods': proxyInputs(input, statics),
    migration: migrationKey(live),
    'in place': `${workerConfigOf(input).hash} ${proxyConfigOf(input, statics).hash}`,
    objects: JSON.stringify([...renderBase(input), ...deploymentsOf(live)]),
  };
}

const FIXED = { inputs: '', number: 1, configHash: '' };

/** What the Deployments have beside their templates. */
function deploymentsOf(webApp: LiveWebApp): object[] {
  const fixed: RenderInput = { webApp: { ...webApp, spec: FIXED_SPEC }, settings: SETTINGS, apis: APIS };
  const { replicas } = webApp.spec;
  return [
    renderWorkerDeployment(webApp, makeWorkerRevision(fixed, FIXED), { replicas, migrated: undefined }),
    renderProxyDeployment(webApp, makeProxyRevision(fixed, [], FIXED)),
  ];
}

const FIXED_SPEC = webAppSchema.shape.spec.parse({ image: 'a', app: 'a:a' });

function leavesOf(schema: z.core.$ZodType, value: unknown, path: Path): Leaf[] {
  const field = unwrap(schema);
  if (field instanceof z.ZodObject && Object.keys(field.shape).length > 0) {
    return Object.entries(value as object).flatMap(([name, child]) =>
      leavesOf(field.shape[name] as z.core.$ZodType, child, [...path, name]),
    );
  }
  if (field instanceof z.ZodArray && unwrap(field.element as z.core.$ZodType) instanceof z.ZodObject) {
    return (value as unknown[]).flatMap((item, index) =>
      leavesOf(field.element as z.core.$ZodType, item, [...path, index]),
    );
  }
  const others = field instanceof z.ZodEnum ? field.options.filter((option) => option !== value) : [another(value)];
  return [{ path, others }];
}

/** @returns a value of the same kind: `30s` becomes `31s`, a mapping gets a key more */
function another(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') {
    return /[0-9]/.test(value) ? value.replace(/[0-9]+/, (digits) => String(Number(digits) + 1)) : `${value}x`;
  }
  if (Array.isArray(value)) return [...value, another(value[0])];
  const [first] = Object.values(value as object);
  return typeof first === 'object' ? { metadata: { labels: { a: 'b' } } } : { ...(value as object), another: '1' };
}

function changed(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? changed(item, rest, other) : item));
  const mapping = value as Record<string, unknown>;
  return { ...mapping, [key]: changed(mapping[key], rest, other) };
}
