// A WebApp of a cluster as the commands need it. Checked: what another version of the operator wrote, and this cannot read, is left out. Pure.
import { z } from 'zod';
import type { REASONS } from '../../core/app/conditions.ts';
import { conditionSchema, problemSchema, type WebAppStatus, webAppStatusSchema } from '../../core/status/webapp.ts';
import type { Finding } from '../../live/verdict.ts';

const specSchema = z.object({
  image: z.string().catch(''),
  replicas: z.number().optional().catch(undefined),
  workers: z.object({ processes: z.union([z.number(), z.literal('auto')]).catch('auto') }).catch({ processes: 'auto' }),
  autoscaling: z.unknown().optional(),
});

const resourceSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().catch('') }),
  spec: specSchema.catch({ image: '', workers: { processes: 'auto' } }),
  status: z.unknown().optional(),
});

export interface WebAppResource {
  readonly namespace: string;
  readonly name: string;
  readonly spec: z.output<typeof specSchema>;
  /** As it was written. */
  readonly wholeSpec: object;
  readonly status: WebAppStatus;
}

/** @returns undefined for what is no WebApp */
export function readResource(raw: unknown): WebAppResource | undefined {
  const parsed = resourceSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const { spec: written } = raw as { spec?: unknown };
  const wholeSpec = typeof written === 'object' && written !== null ? written : {};
  return { ...metadata, spec, wholeSpec, status: readStatus(status) };
}

/** Field by field: one that is not understood hides no other. */
function readStatus(raw: unknown): WebAppStatus {
  if (typeof raw !== 'object' || raw === null) return {};
  const whole = webAppStatusSchema.safeParse(raw);
  if (whole.success) return whole.data;
  const given = raw as Record<string, unknown>;
  const fields = Object.entries(webAppStatusSchema.shape).flatMap(([name, schema]) => {
    const one = schema.safeParse(given[name]);
    return one.success && one.data !== undefined ? [[name, one.data] as const] : [];
  });
  const status = Object.fromEntries(fields) as WebAppStatus;
  return {
    ...status,
    conditions: understood(given['conditions'], conditionSchema),
    problems: understood(given['problems'], problemSchema),
  };
}

/** States that were asked for. */
const WANTED: readonly string[] = ['Suspended', 'ScaledToZero'] satisfies (keyof (typeof REASONS)['Ready'])[];

/** How it fares as the operator tells, where no program does. */
export function fareOf({ conditions = [], problems = [] }: WebAppStatus): Finding {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined) return { kind: 'unseen', tone: 'unknown', text: UNSEEN };
  const serves = ready.status === 'True';
  const [problem] = problems;
  if (problem) {
    const { message, mend, field } = problem;
    return { kind: `problem-${problem.type}`, tone: serves ? 'warning' : 'bad', text: message, mend, field };
  }
  const tone = serves ? 'good' : WANTED.includes(ready.reason) ? 'unknown' : 'bad';
  return { kind: ready.reason, tone, text: ready.message };
}

export const UNSEEN = 'The operator has not looked at it yet.';

function understood<T>(list: unknown, schema: z.ZodType<T>): T[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((one) => {
    const parsed = schema.safeParse(one);
    return parsed.success ? [parsed.data] : [];
  });
}
