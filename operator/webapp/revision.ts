// A version of an application as it was rolled out, kept in a ControllerRevision (apps/v1, made for this): so that an unchanged spec gets the
// very pod template it got before, by whichever version of the operator, and so that there is something to go back to.
import { z } from 'zod';
import type { KubeObject } from '../../kube/object.ts';
import { canonical, digestOfCanonical } from './render/canonical.ts';

/** Of the data, for an operator that comes later. */
const VERSION = 1;

const revisionSchema = z.strictObject({
  version: z.literal(VERSION),
  id: z.string().regex(/^[0-9a-f]{10}$/),
  component: z.enum(['worker', 'proxy']),
  number: z.int().min(1),
  inputs: z.string(),
  image: z.string(),
  template: z.record(z.string(), z.unknown()),
  config: z.record(z.string(), z.unknown()).optional(),
  configHash: z.string(),
});

export interface Revision {
  /** 10 hex digits over inputs and template. Label of its pods, end of its names. */
  readonly id: string;
  readonly component: 'worker' | 'proxy';
  /** Counts up per component: the order of making. */
  readonly number: number;
  /** Hash over the part of the spec, and the content it refers to, that the template was made from. */
  readonly inputs: string;
  /** The application's image. */
  readonly image: string;
  /** PodTemplateSpec, complete, with the label `revision` and the name of its ConfigMap. */
  readonly template: Readonly<Record<string, unknown>>;
  /** worker: what of worker.json belongs to the version, laid over the current document. Absent on proxy. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Hash of worker.json or proxy.json when it was made: a pod that started with it needs no refresh. */
  readonly configHash: string;
}

/** Pure. Never applied again once it is there: ControllerRevisions are immutable. Without owner, labels of revision only. */
export function revisionData(revision: Revision): Record<string, unknown> {
  const data = canonical({ version: VERSION, ...revision });
  return { ...data, checksum: digestOfCanonical(data) };
}

/** @returns undefined for one whose data is not ours or was tampered with */
export function parseRevision(object: KubeObject): Revision | undefined {
  const { data } = object;
  if (typeof data !== 'object' || data === null) return undefined;
  const { checksum, ...rest } = data as Record<string, unknown>;
  const settled = canonical(rest);
  if (checksum !== digestOfCanonical(settled)) return undefined;
  const parsed = revisionSchema.safeParse(settled);
  if (!parsed.success) return undefined;
  const { version: _, config, ...revision } = parsed.data;
  return { ...revision, ...(config && { config }) };
}
