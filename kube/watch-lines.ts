// What the API server sends in lists and watches, as checked values. Pure. Whatever does not have the shape of the API ends the watch or the list: what is
// missed of a stream cannot be asked for again.
import { KubeError } from './errors.ts';
import { apiVersionOf, type KubeObject, type Resource } from './object.ts';

export interface Page {
  readonly objects: readonly KubeObject[];
  /** Of the list, the same on all its pages. */
  readonly resourceVersion: string;
  /** Token of the next page; undefined: this was the last. */
  readonly next: string | undefined;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject; readonly resourceVersion: string }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

type Fields = Readonly<Record<string, unknown>>;

/** Items get the kind and apiVersion that lists leave out, and lose their managedFields. @throws KubeError INVALID_RESPONSE */
export function readPage(body: unknown, resource: Resource): Page {
  const list = fieldsOf(body, 'the list');
  const metadata = fieldsOf(list['metadata'], 'metadata of the list');
  // Go writes an empty list of some kinds as null.
  const items = list['items'] ?? [];
  if (!Array.isArray(items)) throw invalid('items of the list', items);
  const type = { kind: resource.kind, apiVersion: apiVersionOf(resource) };
  return {
    objects: items.map((item) => readObject(item, type)),
    resourceVersion: textOf(metadata['resourceVersion'], 'metadata.resourceVersion of the list'),
    next: typeof metadata['continue'] === 'string' && metadata['continue'] !== '' ? metadata['continue'] : undefined,
  };
}

/** @throws KubeError: INVALID_RESPONSE, or what an ERROR event says */
export function readWatchLine(line: string): WatchEvent {
  const event = fieldsOf(parse(line), 'the event');
  const { type } = event;
  if (type === 'ERROR') throw statusError(event['object']);
  if (type === 'BOOKMARK') return { type, resourceVersion: versionOf(event['object']) };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw invalid('type of the event', type);
  return { type, object: readObject(event['object']), resourceVersion: versionOf(event['object']) };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new KubeError('INVALID_RESPONSE', `a line of the watch is no JSON: ${line.slice(0, 100)}`, { cause });
  }
}

function readObject(value: unknown, type?: { kind: string; apiVersion: string }): KubeObject {
  const object = fieldsOf(value, 'the object');
  const metadata = fieldsOf(object['metadata'], 'metadata of the object');
  const { managedFields, ...kept } = metadata;
  const name = textOf(metadata['name'], 'metadata.name of the object');
  return { ...type, ...object, metadata: { ...kept, name } } as KubeObject;
}

/** An ERROR event carries the Status that would have been the answer (KEP-956, metav1.WatchEvent). */
function statusError(value: unknown): KubeError {
  const { code, reason, message } = fieldsOf(value, 'the Status of an ERROR event');
  return new KubeError('API', typeof message === 'string' ? message.slice(0, 1_000) : 'the watch ended with an error', {
    status: typeof code === 'number' ? code : 500,
    reason: typeof reason === 'string' ? reason : '',
  });
}

function versionOf(object: unknown): string {
  const metadata = fieldsOf(fieldsOf(object, 'the object')['metadata'], 'metadata of the object');
  return textOf(metadata['resourceVersion'], 'metadata.resourceVersion of the object');
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(what, value);
  return value as Fields;
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(what, value);
  return value;
}

function invalid(what: string, value: unknown): KubeError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 100);
  return new KubeError('INVALID_RESPONSE', `${what} is ${shown}: the API does not answer so`);
}
