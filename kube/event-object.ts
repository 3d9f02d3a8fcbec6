// How an occurrence becomes an events.k8s.io/v1 Event: pure.
import type { KubeEvent } from './events.ts';
import { microTime } from './lease.ts';
import type { KubeObject, Resource } from './object.ts';

export const EVENTS: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** Who tells of it, and when. */
export interface EventSource {
  readonly controller: string;
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** Makes the name unique: hexadecimal digits. */
  readonly hex: string;
}

/** Of the API (pkg/apis/core/validation/events.go). */
const MAX_NOTE_BYTES = 1024;
const MAX_WORD = 128;
const MAX_NAME = 253;
/** RFC 1123 subdomain: what an Event may be called. Some kinds (RBAC) allow more in theirs. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** @returns the Event of the first occurrence, in the namespace of what it regards (`default` for what has none) */
export function eventObject(event: KubeEvent, { controller, instance, wall, hex }: EventSource): KubeObject {
  const { regarding, type, reason, action, note } = event;
  const { name, namespace = 'default', uid } = regarding.metadata;
  return {
    apiVersion: `${EVENTS.group}/${EVENTS.version}`,
    kind: EVENTS.kind,
    metadata: { namespace, name: eventName(regarding, hex) },
    eventTime: microTime(wall),
    reportingController: controller,
    reportingInstance: instance.slice(0, MAX_WORD),
    action: action.slice(0, MAX_WORD),
    reason: reason.slice(0, MAX_WORD),
    regarding: {
      apiVersion: regarding.apiVersion,
      kind: regarding.kind,
      name,
      ...(regarding.metadata.namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
    },
    note: cutToBytes(note, MAX_NOTE_BYTES),
    type,
  };
}

/** @returns the merge patch that tells of repeats. @param count occurrences in all, at least 2 */
export function seriesPatch(count: number, lastWall: number): object {
  return { series: { count, lastObservedTime: microTime(lastWall) } };
}

/** @returns what makes two occurrences the same event: everything but the time. The note counts: an Event cannot change its own */
export function eventKey({ regarding, type, reason, action, note }: KubeEvent): string {
  return JSON.stringify([objectKey(regarding), type, reason, action, note]);
}

/** @returns the object that an event regards, as text */
export function objectKey({ apiVersion, kind, metadata: { namespace, name, uid } }: KubeEvent['regarding']): string {
  return JSON.stringify([apiVersion, kind, namespace, name, uid]);
}

/** @returns `text`, cut between two characters where it is longer, and then saying so with `…` */
export function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const cut = Buffer.from(text).subarray(0, maxBytes - Buffer.byteLength('…'));
  // `stream: true` holds back the bytes of a character that is cut in two.
  return `${new TextDecoder().decode(cut, { stream: true })}…`;
}

/** `NAME.HEX`, as client-go names them. */
function eventName({ kind, metadata: { name } }: KubeEvent['regarding'], hex: string): string {
  const base = SUBDOMAIN.test(name) ? name : kind.toLowerCase();
  const most = MAX_NAME - hex.length - 1;
  return `${base.slice(0, most).replace(/[^a-z0-9]+$/, '')}.${hex}`;
}
