// Kubernetes quantities (resource.Quantity): the server rewrites them (`0.5` becomes `500m`, 1 becomes `1`), so they are compared by value.

const SCALE: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const QUANTITY = /^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,3}))?$/;

/** @returns the value of a quantity such as `500m`, `2`, 2, `1.5Gi` or `1e3`; undefined: it is none */
export function quantityOf(quantity: unknown): number | undefined {
  if (typeof quantity === 'number') return quantity;
  const [, digits, suffix = '', exponent] = (typeof quantity === 'string' && QUANTITY.exec(quantity)) || [];
  if (digits === undefined) return undefined;
  return exponent === undefined ? Number(digits) * (SCALE[suffix] ?? Number.NaN) : Number(`${digits}e${exponent}`);
}

/** Apart from the last bits of a binary fraction: `0.3` and `300m`. */
export function isSameQuantity(one: unknown, other: unknown): boolean {
  const a = quantityOf(one);
  const b = quantityOf(other);
  return a !== undefined && b !== undefined && Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}
