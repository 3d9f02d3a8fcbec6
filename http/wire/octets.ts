// Classes of octets in HTTP/1.1 messages, as tables for byte loops, and names without regard to case.

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;
export const SEMICOLON = 59;

function octetTable(isMember: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (isMember(octet) ? 1 : 0));
}

/** tchar, RFC 9110 §5.6.2: what methods and field names are made of. */
export const TOKEN = octetTable((octet) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(octet)));

/** field-vchar, SP, HTAB and obs-text, RFC 9110 §5.5: no CR, LF, NUL or other control octet. */
export const FIELD_TEXT = octetTable((octet) => octet === HTAB || (octet >= 0x20 && octet !== 0x7f));

/**
 * Whether `text` from `start` reads `lower`, without regard to case. The caller has compared the lengths and knows that the
 * text is a token: for tokens `| 32` maps nothing but letters onto letters and `-`.
 */
export function isName(text: string, start: number, lower: string): boolean {
  for (let index = 0; index < lower.length; index++) {
    if ((text.charCodeAt(start + index) | 32) !== lower.charCodeAt(index)) return false;
  }
  return true;
}
