// Resource versions of one resource are decimal numbers that grow with every write, without an upper bound (KEP-5504).

const DECIMAL = /^[1-9][0-9]*$/;

/**
 * Whether `version` is of a later state than `than`. A version that is no number (an API of old that is not the API server's own) is later than
 * any other: what is told last holds.
 */
export function isLater(version: string, than: string): boolean {
  if (version === than) return false;
  if (!DECIMAL.test(version) || !DECIMAL.test(than)) return true;
  return version.length === than.length ? version > than : version.length > than.length;
}
