// The weight that a client gives a value of an Accept field (RFC 9110 §12.4.2). Pure.

/**
 * @param parameters what stands between the `;` behind the value, in lower case
 * @returns 0 to 1; 1 when none is given, 0 when it is malformed
 */
export function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*$/.exec(parameter);
    if (match) return Number(match[1]);
    if (/^\s*q\s*=/.test(parameter)) return 0;
  }
  return 1;
}
