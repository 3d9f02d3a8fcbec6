// What a coordination.k8s.io/v1 Lease says, and what it is to say: pure. (client-go tools/leaderelection, resourcelock.LeaseLock.)
import type { KubeObject, Resource } from './object.ts';

export const LEASES: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export interface LeaseRecord {
  /** '': nobody. */
  readonly holder: string;
  /** How long it holds after a renewal; undefined: the Lease does not say so, or nonsense. */
  readonly durationMs: number | undefined;
  readonly transitions: number;
  /** Changes with every renewal, and with nothing that is not the holder's (such as a label). */
  readonly fingerprint: string;
}

/** Whose Lease it is to be. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseMs: number;
  /** Milliseconds since the epoch; for people: nobody decides by another's clock. */
  readonly wall: number;
}

/** @param lease as the server gave it: any field may be absent or strange */
export function readLease(lease: KubeObject): LeaseRecord {
  const spec = specOf(lease);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime, renewTime } = spec;
  const seconds = numberOr(leaseDurationSeconds, 0);
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    durationMs: seconds > 0 ? seconds * 1000 : undefined,
    transitions: numberOr(leaseTransitions, 0),
    fingerprint: JSON.stringify([holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime, renewTime]),
  };
}

/** @returns the Lease as its holder writes it: new, taken over from another (counted), or renewed. resourceVersion stays: it guards the write */
export function claimedLease(
  lease: KubeObject | undefined,
  { namespace, name, identity, leaseMs, wall }: Claim,
): KubeObject {
  const renewTime = microTime(wall);
  const spec = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1000), renewTime };
  if (lease === undefined) {
    const { group, version, kind } = LEASES;
    const metadata = { namespace, name };
    return {
      apiVersion: `${group}/${version}`,
      kind,
      metadata,
      spec: { ...spec, acquireTime: renewTime, leaseTransitions: 0 },
    };
  }
  const { holder, transitions } = readLease(lease);
  const term = holder === identity ? {} : { acquireTime: renewTime, leaseTransitions: transitions + 1 };
  return { ...lease, spec: { ...specOf(lease), ...spec, ...term } };
}

/** @returns the Lease as its holder leaves it: the next may take it at once; one that knows no empty holder waits a second */
export function releasedLease(lease: KubeObject, wall: number): KubeObject {
  const now = microTime(wall);
  const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
  return { ...lease, spec: { ...specOf(lease), ...spec } };
}

/** @returns metav1.MicroTime: the server refuses any other number of fractional digits than six (kubernetes #141204) */
export function microTime(wall: number): string {
  return new Date(wall).toISOString().replace('Z', '000Z');
}

function specOf({ spec }: KubeObject): Readonly<Record<string, unknown>> {
  return typeof spec === 'object' && spec !== null ? { ...spec } : {};
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}
