// CPU and memory of containers, and what follows from them.
import { quantityOf } from '../../../kube/quantity.ts';
import type { LiveWebApp } from '../observed.ts';

export type Resources = LiveWebApp['spec']['resources'];
type Quantities = Readonly<Record<string, string>>;

const MEBIBYTE = 2 ** 20;

/** What the worker program needs for itself, beside the application's processes: measured 45 to 60 MiB. */
const WORKER_BYTES = 64 * MEBIBYTE;
/** A share that no application starts in says nothing about when one has grown too large. */
const LEAST_SHARE_BYTES = 48 * MEBIBYTE;
/** Of what a Node process may take, for its heap: the rest is code, buffers and stacks. */
const HEAP_PART = 0.75;

/** @param defaults requested where the spec requests nothing, or the limit when that is lower */
export function resourcesOf(resources: Resources, defaults: { cpu: string; memory: string }): object {
  const limits = quantities(resources.limits);
  const requests = {
    cpu: lower(defaults.cpu, limits['cpu']),
    memory: lower(defaults.memory, limits['memory']),
    ...quantities(resources.requests),
  };
  return { ...(Object.keys(limits).length > 0 && { limits }), requests };
}

/** Bytes; undefined: no limit. */
export function memoryLimitOf({ limits }: Resources): number | undefined {
  return quantityOf(limits?.['memory']);
}

/** Whole bytes that each of `processes` may grow to within the limit; undefined: there is no limit, or too little to share. */
export function memoryShareOf(resources: Resources, processes: number): number | undefined {
  const limit = memoryLimitOf(resources);
  if (limit === undefined) return undefined;
  const share = Math.floor((limit - WORKER_BYTES) / processes);
  return share >= LEAST_SHARE_BYTES ? share : undefined;
}

/** CPUs of the limit, else of the request, else 1. */
export function cpusOf({ limits, requests }: Resources): number {
  return quantityOf(limits?.['cpu']) ?? quantityOf(requests?.['cpu']) ?? 1;
}

/** The flag of V8 for a process that may take `bytes`. */
export function heapFlag(bytes: number): string {
  return `--max-old-space-size=${Math.max(16, Math.floor((bytes * HEAP_PART) / MEBIBYTE))}`;
}

/** The API takes numbers and gives back text. */
function quantities(given: Resources['limits']): Quantities {
  return Object.fromEntries(Object.entries(given ?? {}).map(([name, quantity]) => [name, String(quantity)]));
}

function lower(quantity: string, limit: string | undefined): string {
  const most = quantityOf(limit);
  return limit !== undefined && most !== undefined && most < (quantityOf(quantity) ?? 0) ? limit : quantity;
}
