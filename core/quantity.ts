// Durations as people write them (`30s`, `1h30m`, `1y`) and sizes as Kubernetes writes them (`10Mi`). The patterns are
// RE2-compatible, because they also stand in the CRD.

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;
const BYTES = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 } as const;

/** One or more numbers with a unit of ms, s, m, h, d, w or y,. */
export const DURATION_PATTERN = '^([0-9]{1,9}(ms|s|m|h|d|w|y))+$';
/** A duration that software waits for: no unit above hours, and in 32 characters no more than CEL's duration() holds (292 years). */
export const TIMEOUT_PATTERN = '^([0-9]{1,8}(ms|s)|[0-9]{1,5}(m|h))+$';
/** No timeout is longer: a timer of Node's holds 24.8 days at most, and fires at once beyond. */
export const MAX_TIMEOUT_MS = 24 * 3_600_000;
/** A whole number of bytes, or with one of the suffixes k M G T Ki Mi Gi Ti. */
export const QUANTITY_PATTERN = '^[0-9]{1,12}(k|M|G|T|Ki|Mi|Gi|Ti)?$';

const DURATION = new RegExp(DURATION_PATTERN);
const QUANTITY = new RegExp(QUANTITY_PATTERN);

/**
 * @param text such as `30s`, `1m30s`
 * @returns milliseconds
 * @throws RangeError when `text` is not a duration
 */
export function parseDuration(text: string): number {
  if (!DURATION.test(text))
    throw new RangeError(`"${text}" is not a duration: write a number and ms, s, m, h, d, w or y`);
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d|w|y)/g)) {
    total += Number(digits) * MS[unit as keyof typeof MS];
  }
  return total;
}

/**
 * @param text such as `10Mi`, `500k`, `4096`
 * @returns bytes
 * @throws RangeError when `text` is not a quantity
 */
export function parseQuantity(text: string): number {
  if (!QUANTITY.test(text)) throw new RangeError(`"${text}" is not a size: write bytes, or a number and Ki, Mi or Gi`);
  const suffix = text.replace(/^[0-9]+/, '') as keyof typeof BYTES;
  return Number.parseInt(text, 10) * BYTES[suffix];
}

/** @returns `ms` in the words of a manifest, such as `1m30s` */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  if (rest === 0) return '0s';
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / MS[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * MS[unit];
  }
  return text;
}

/** @returns `bytes` for people, such as `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
