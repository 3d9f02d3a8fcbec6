// What is remembered of a Secret or ConfigMap: whether it changed and what it holds under which names, never the content itself. Pure.
import { createHash } from 'node:crypto';

export interface ContentDigest {
  /** 16 hexadecimal digits. */
  readonly hash: string;
  /** Of data and binaryData, sorted. */
  readonly keys: readonly string[];
}

/** @param object a Secret or ConfigMap as the server sent it; labels and annotations do not count, nor does the order of keys */
export function digestContent(object: Readonly<Record<string, unknown>>): ContentDigest {
  const data = entriesOf(object['data']);
  const binaryData = entriesOf(object['binaryData']);
  const text = JSON.stringify([object['type'] ?? null, data, binaryData]);
  return {
    hash: createHash('sha256').update(text).digest('hex').slice(0, 16),
    keys: [...data, ...binaryData].map(([key]) => key).sort(),
  };
}

function entriesOf(map: unknown): [string, unknown][] {
  if (typeof map !== 'object' || map === null) return [];
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}
