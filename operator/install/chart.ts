// The generated parts of charts/webapp-operator/: its description, its values (chart-values.ts), and under files/ what no value changes, from the same makers as
// manifests/. Templates are written by hand and put the two together; e2e/cluster/chart.test.ts holds what comes out equal to makeInstall().
import { z } from 'zod';
import { makeCrd } from '../../core/app/crd.ts';
import { unwrap } from '../../core/app/validate.ts';
import { chartValuesSchema, makeChartValues } from './chart-values.ts';
import { fillParts, markdownTable } from './generated-parts.ts';
import { LABELS, SELECTOR } from './place.ts';
import { makeLeaseRules, makePeopleRoles, makeWorkRules } from './rbac.ts';
import { makeDeployment, makeDisruptionBudget, makeNetworkPolicy } from './workload.ts';
import { type CommentOf, toYaml } from './yaml.ts';

const WRITTEN = 'Written by `npm run generate`.';

/** @param version of the operator, and so of the chart. @returns path below charts/webapp-operator/ → text */
export function makeChartFiles(version: string): Record<string, string> {
  return {
    'Chart.yaml': toYaml([makeDescription(version)], WRITTEN, (path) =>
      path[0] === 'kubeVersion' ? WHY_1_29 : undefined,
    ),
    'values.yaml': toYaml([makeChartValues()], `${WRITTEN} From operator/install/chart-values.ts.`, describeValue),
    'values.schema.json': `${JSON.stringify(makeValuesSchema(), null, 2)}\n`,
    ...Object.fromEntries(
      Object.entries(makeConstants(version)).map(([file, value]) => [`files/${file}.yaml`, toYaml([value], WRITTEN)]),
    ),
  };
}

/** @param text of the chart's README. @returns it with its table of values made anew */
export function fillChartReadme(text: string): string {
  return fillParts('the chart’s README', text, { values: valuesTable });
}

const WHY_1_29 =
  'Rules of the CustomResourceDefinition are CEL with optional fields (`self.?expose`), which API servers understand from 1.29 on.';

function makeDescription(version: string): object {
  return {
    apiVersion: 'v2',
    name: 'webapp-operator',
    description: 'Runs Flask, Django and Express applications on Kubernetes, each declared as one WebApp.',
    type: 'application',
    version,
    appVersion: version,
    kubeVersion: '>=1.29.0-0',
    keywords: ['webapp', 'wsgi', 'flask', 'django', 'express', 'operator', 'reverse proxy'],
  };
}

interface DeploymentSpec {
  readonly strategy: object;
  readonly template: {
    readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
    readonly spec: PodSpec;
  };
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly securityContext: object;
  readonly containers: readonly [Container];
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly valueFrom?: object }[];
  readonly resources: object;
  readonly securityContext: object;
}

/** What no value changes. File → value. */
function makeConstants(version: string): Record<string, object> {
  const { strategy, template } = makeDeployment({ version, namespaces: [] })['spec'] as DeploymentSpec;
  const { serviceAccountName: _account, securityContext: podSecurity, containers, ...pod } = template.spec;
  const { image: _image, args, env, resources: _resources, securityContext, ...container } = containers[0];
  return {
    labels: LABELS,
    selector: SELECTOR,
    strategy,
    'pod-annotations': template.metadata.annotations,
    pod,
    'pod-security': podSecurity,
    container,
    'container-security': securityContext,
    args: args.filter((arg) => !arg.startsWith('--proxy-image=')),
    env: env.filter(({ valueFrom }) => valueFrom !== undefined),
    'network-policy': makeNetworkPolicy()['spec'] as object,
    'disruption-budget': makeDisruptionBudget()['spec'] as object,
    'work-rules': makeWorkRules(),
    'lease-rules': makeLeaseRules(),
    'people-roles': makePeople(),
    crd: { spec: (makeCrd() as { spec: object }).spec },
  };
}

/** Name → the labels that aggregate it, and its rules. */
function makePeople(): Record<string, object> {
  const own = new Set(Object.keys(LABELS));
  return Object.fromEntries(
    makePeopleRoles().map(({ metadata, rules }) => {
      const labels = Object.entries(metadata.labels ?? {}).filter(([label]) => !own.has(label));
      return [metadata.name, { labels: Object.fromEntries(labels), rules }];
    }),
  );
}

/** Strict: what no template reads is refused, so that a slip of the pen is told. */
function makeValuesSchema(): object {
  return z.toJSONSchema(chartValuesSchema, { io: 'input' });
}

const describeValue: CommentOf = (path) => {
  const field = path.reduce<z.core.$ZodType | undefined>(childOf, chartValuesSchema);
  return field && (field as z.ZodType).description;
};

function childOf(schema: z.core.$ZodType | undefined, key: string | number): z.core.$ZodType | undefined {
  const inner = schema && unwrap(schema);
  return inner instanceof z.ZodObject ? (inner.shape[key] as z.core.$ZodType | undefined) : undefined;
}

function valuesTable(): string {
  return markdownTable(['value', 'default', 'meaning'], valueRows(chartValuesSchema, makeChartValues(), []));
}

function valueRows(schema: z.core.$ZodType, value: unknown, path: readonly string[]): string[][] {
  const { description = '' } = schema as z.ZodType;
  const inner = unwrap(schema);
  const children = inner instanceof z.ZodObject ? Object.entries(inner.shape) : [];
  const written = children.length === 0 && value !== undefined ? `\`${JSON.stringify(value)}\`` : '';
  const row = [`\`${path.join('.')}\``, written, description.replaceAll('|', '\\|')];
  const below = children.flatMap(([name, child]) =>
    valueRows(child as z.core.$ZodType, (value as Record<string, unknown> | undefined)?.[name], [...path, name]),
  );
  return path.length === 0 ? below : [row, ...below];
}
