// An EndpointSlice (discovery.k8s.io/v1) as it is kept: what of it says where requests may go. What arrives is read leniently,
// one endpoint at a time: a part that is no endpoint is left out and counted, the others are used. Pure.
import { isIP } from 'node:net';
import type { ObjectMeta, Resource } from '../../../kube/object.ts';

export const ENDPOINT_SLICES: Resource = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
};

/** leaving: being deleted, and serves still. gone: being deleted, and does not. */
export type Condition = 'unready' | 'ready' | 'leaving' | 'gone';

export interface SliceEndpoint {
  /** IPv4 or IPv6 without brackets. */
  readonly ip: string;
  readonly condition: Condition;
}

export interface Slice {
  readonly metadata: ObjectMeta;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
  /** Endpoints and ports that were none. */
  readonly ignored: number;
}

/** What the API server lets a slice hold (discovery.k8s.io/v1, validation). */
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 20_000;

/** @param object as it came from the API server; its metadata is the reflector's to check */
export function readSlice(object: unknown): Slice {
  const { metadata, endpoints, ports } = fieldsOf(object);
  const { name, namespace, uid, resourceVersion } = fieldsOf(metadata);
  const listed = listOf(endpoints).slice(0, MAX_ENDPOINTS);
  const open = listOf(ports).slice(0, MAX_PORTS);
  const readEndpoints = listed.map(readEndpoint).filter(isThere);
  const readPorts = open.map(readPort).filter(isThere);
  return {
    metadata: {
      name: textOf(name),
      ...(typeof namespace === 'string' && { namespace }),
      ...(typeof uid === 'string' && { uid }),
      ...(typeof resourceVersion === 'string' && { resourceVersion }),
    },
    endpoints: readEndpoints,
    ports: readPorts,
    ignored: listed.length - readEndpoints.length + open.length - readPorts.length,
  };
}

/** The first address only: "no semantics are defined for additional addresses" (discovery.k8s.io/v1, Endpoint.addresses). */
function readEndpoint(value: unknown): SliceEndpoint | undefined {
  const { addresses, conditions } = fieldsOf(value);
  const [ip] = listOf(addresses);
  // A zone (`fe80::1%eth0`) means something on the machine that wrote it only.
  if (typeof ip !== 'string' || isIP(ip) === 0 || ip.includes('%')) return undefined;
  return { ip, condition: conditionOf(fieldsOf(conditions)) };
}

/**
 * Absent conditions mean: ready, serving as ready says, not terminating. A terminating one is never ready, whatever a Service
 * with publishNotReadyAddresses says of it.
 */
function conditionOf({ ready, serving, terminating }: Fields): Condition {
  const isReady = ready !== false;
  const isServing = typeof serving === 'boolean' ? serving : isReady;
  if (terminating === true) return isServing ? 'leaving' : 'gone';
  return isReady ? 'ready' : 'unready';
}

/** A port of UDP is none, nor is one without a number ("all ports"). */
function readPort(value: unknown): { name: string; port: number } | undefined {
  const { name, port, protocol = 'TCP' } = fieldsOf(value);
  if (protocol !== 'TCP' || typeof port !== 'number') return undefined;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { name: textOf(name), port };
}

type Fields = Readonly<Record<string, unknown>>;
const NO_FIELDS: Fields = {};

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : NO_FIELDS;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
