// Which of a handler's response fields go to the client as they are. Framing and the connection are the front door's own to
// write (RFC 9112 §6, RFC 9110 §7.6.1): what a handler says of them is read or dropped, never passed on.
import type { RawHeaders } from './exchange.ts';

/**
 * Copies the fields of `headers` that may go out to the end of `fields`.
 * @returns the Content-Length among them, which is not copied; -1 when there is none that is a number
 */
export function copyFields(headers: RawHeaders, fields: string[]): number {
  let length = -1;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') length = toLength(value);
    else if (!isOurs(name)) fields.push(name, value);
  }
  return length;
}

/** By length first: most names are none of them. Trailer too, for no trailers are sent. */
function isOurs(name: string): boolean {
  switch (name.length) {
    case 7:
      return name.toLowerCase() === 'trailer';
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' || lower === 'keep-alive';
    }
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}

function toLength(value: string): number {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : -1;
}
