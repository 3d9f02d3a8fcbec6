// The WebApp schema as a CustomResourceDefinition: what zod says, lowered to what the API server calls a structural schema
// (ValidateStructural in apiextensions-apiserver), and held to it: a schema that is not structural, or not bounded, throws.
import { z } from 'zod';
import { webAppStatusSchema } from '../status/webapp.ts';
import { type Rule, rulesOf } from './rules.ts';
import { GROUP, KIND, specSchema, VERSION, webAppSchema } from './schema.ts';

/** The part of OpenAPI v3 that a structural schema may use. */
export interface StructuralSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  default?: unknown;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  enum?: unknown[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: Validation[];
}

/** A rule as the API server has it. `messageExpression` goes before `message`, which stays for who only reads the schema. */
export interface Validation {
  rule: string;
  message: string;
  messageExpression?: string;
  fieldPath?: string;
}

/** Keys taken over as they are, in the order they are written. */
const KEPT = [
  'type',
  'description',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
] as const satisfies readonly (keyof StructuralSchema)[];

type Json = Record<string, unknown>;

/** @returns the structural schema of `spec`. @throws Error naming the field that is not structural or not bounded. */
export function makeSpecSchema(): StructuralSchema {
  return structural(specSchema, 'spec');
}

function structural(schema: z.ZodType, path: string): StructuralSchema {
  return lower(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', override: addRules }) as Json, path);
}

function addRules({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }): void {
  const rules = rulesOf(zodSchema);
  const { mend } = jsonSchema as { mend?: string };
  if (rules.length > 0) (jsonSchema as Json)['x-kubernetes-validations'] = rules.map((rule) => validation(rule, mend));
}

/** @param said what is told of the field already: a rule does not repeat it */
function validation({ cel, message, mend, field, found }: Rule, said?: string): Validation {
  const advice = mend === said || mend.endsWith(message.replace(/^must be /, '')) ? '' : `; ${mend}`;
  return {
    rule: cel,
    message: `${message}${advice}`,
    ...(found?.cel && {
      messageExpression: `${celText(`${message} (found `)} + ${found.cel} + ${celText(`)${advice}`)}`,
    }),
    ...(field && { fieldPath: `.${field.join('.')}` }),
  };
}

/** @returns a string literal of CEL */
const celText = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/**
 * A pattern becomes a rule: of a pattern the API server says that it does not match, of a rule what to write. The other rules of the
 * field are for what matches.
 */
function patternAsRule(pattern: string, mend: string, others: readonly Validation[]): Validation[] {
  if (pattern.includes("'")) throw new Error(`a pattern with ' in it: ${pattern}`);
  const matches = `self.matches(r'${pattern}')`;
  return [
    { rule: matches, message: mend },
    ...others.map((other) => ({ ...other, rule: `!${matches} || (${other.rule})` })),
  ];
}

function lower(json: Json, path: string): StructuralSchema {
  const schema: Json = {};
  for (const key of KEPT) if (json[key] !== undefined) schema[key] = json[key];
  // An empty mapping is not kept by the API server: a second `kubectl apply` would see a difference.
  if (json['properties'] && Object.keys(json['properties']).length > 0) {
    schema['properties'] = Object.fromEntries(
      Object.entries(json['properties'] as Record<string, Json>).map(([name, child]) => [
        name,
        lower(child, `${path}.${name}`),
      ]),
    );
  } else if (json['additionalProperties'] && !json['x-kubernetes-preserve-unknown-fields']) {
    schema['additionalProperties'] = lower(json['additionalProperties'] as Json, `${path}.*`);
  }
  if (json['items']) schema['items'] = lower(json['items'] as Json, `${path}[]`);
  // int-or-string excludes `type`; its bounds are the rule's business, but CEL's cost is bounded by the length of the string.
  if (schema['x-kubernetes-int-or-string']) {
    delete schema['type'];
    schema['maxLength'] = longestString(json);
  }
  if (schema['pattern']) {
    if (typeof json['mend'] !== 'string') throw new Error(`${path}: a pattern needs a mend`);
    const others = (schema['x-kubernetes-validations'] ?? []) as Validation[];
    schema['x-kubernetes-validations'] = patternAsRule(schema['pattern'] as string, json['mend'], others);
    delete schema['pattern'];
  }
  assertStructural(schema as StructuralSchema, json, path);
  return schema as StructuralSchema;
}

/** @returns characters of the longest string that one of a union's options takes */
function longestString(union: Json): number {
  const lengths = ((union['anyOf'] ?? []) as Json[])
    .filter((option) => option['type'] === 'string')
    .map((option) =>
      Number(option['maxLength'] ?? Math.max(...(option['enum'] as string[]).map(({ length }) => length))),
    );
  return Math.max(...lengths);
}

function assertStructural(schema: StructuralSchema, json: Json, path: string): void {
  const wrong = (what: string): never => {
    throw new Error(`${path}: ${what}`);
  };
  for (const key of ['$ref', 'oneOf', 'allOf', 'not', 'nullable', 'patternProperties', 'uniqueItems']) {
    if (json[key] !== undefined) wrong(`${key} is not structural`);
  }
  if (schema['x-kubernetes-int-or-string']) {
    if (!Number.isFinite(schema.maxLength)) wrong('an int-or-string needs a string with maxLength');
    return;
  }
  if (json['anyOf']) wrong('a union is not structural: use an enum, or int-or-string with a rule');
  if (!schema.type) wrong('has no type');
  if (schema.type === 'string' && schema.maxLength === undefined && !schema.enum)
    wrong('a string needs maxLength: CEL’s cost is bounded by it');
  if (schema.type === 'integer' && (schema.maximum === undefined || schema.maximum > 2 ** 31))
    wrong('an integer needs a maximum');
  if (schema.type === 'array' && schema.maxItems === undefined) wrong('a list needs maxItems');
  if (schema.type === 'array' && !schema['x-kubernetes-list-type']) wrong('a list needs x-kubernetes-list-type');
  if (schema.additionalProperties && schema.maxProperties === undefined) wrong('a map needs maxProperties');
}

/** What `kubectl get webapps` shows; priority 1 with `-o wide`. */
const COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Status', type: 'string', jsonPath: '.status.state' },
  { name: 'Pods', type: 'string', jsonPath: '.status.pods.summary' },
  { name: 'Workers', type: 'string', jsonPath: '.status.workers.summary' },
  { name: 'Image', type: 'string', jsonPath: '.status.image' },
  { name: 'URL', type: 'string', jsonPath: '.status.url' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Revision', type: 'string', jsonPath: '.status.revision', priority: 1 },
  { name: 'Queue', type: 'integer', jsonPath: '.status.queue', priority: 1 },
];

/** @returns the CustomResourceDefinition, ready for YAML. */
export function makeCrd(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `webapps.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: 'webapps',
        singular: 'webapp',
        shortNames: ['wa'],
        categories: ['all'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: COLUMNS,
          schema: {
            openAPIV3Schema: {
              description:
                'A web application, served: a reverse proxy, application processes, and what belongs to them.',
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                // Its rule blames this field.
                metadata: { type: 'object', properties: { name: { type: 'string' } } },
                spec: makeSpecSchema(),
                status: structural(webAppStatusSchema, 'status'),
              },
              'x-kubernetes-validations': rulesOf(webAppSchema).map((rule) => validation(rule)),
            },
          },
        },
      ],
    },
  };
}
