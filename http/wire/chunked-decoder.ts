// The chunked coding, read strictly (RFC 9112 §7.1): CRLF only, bounded size, extensions and trailers; extensions are ignored
// and trailers dropped. Used by the response parser.
import { HeadScanner, INVALID, MORE } from './head-scanner.ts';
import { CR, FIELD_TEXT, LF, SEMICOLON } from './octets.ts';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;

/** Hex digits of a chunk size, leading zeros included. */
const MAX_DIGITS = 16;
/** Octets of chunk extensions in one message: nobody uses them but to make a reader work. */
const MAX_EXTENSION_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 16 * 1024;
const MAX_TRAILER_FIELDS = 64;

export class ChunkedDecoder {
  /** Where in `bytes` the last `decode` has gathered the payload that it met; empty when both are equal. */
  payloadStart = 0;
  payloadEnd = 0;
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  readonly #trailers = new HeadScanner(false, MAX_TRAILER_BYTES, MAX_TRAILER_FIELDS);

  /** Makes ready for another message. */
  reset(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailers.reset();
  }

  /**
   * Reads `bytes`, which it may change: the payload of all chunks met is moved together there, so that many small chunks
   * that came in one read go on as one.
   * @returns where in `bytes` the message has ended, MORE or INVALID; the payload is valid in each case
   */
  decode(bytes: Buffer, from: number, end: number): number {
    this.payloadStart = from;
    this.payloadEnd = from;
    let at = from;
    while (at < end) {
      switch (this.#state) {
        case DATA:
          at = this.#takeData(bytes, at, end);
          break;
        case TRAILERS:
          return this.#trailers.scan(bytes, at, end);
        default:
          if (!this.#step(bytes[at] as number)) return INVALID;
          at++;
      }
    }
    return MORE;
  }

  #takeData(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.#size, end - at);
    if (this.payloadEnd === this.payloadStart) {
      this.payloadStart = at;
      this.payloadEnd = at + taken;
    } else {
      bytes.copyWithin(this.payloadEnd, at, at + taken);
      this.payloadEnd += taken;
    }
    this.#size -= taken;
    if (this.#size === 0) this.#state = DATA_CR;
    return at + taken;
  }

  /** One octet of what stands around the chunks' data. @returns false when it must not stand there */
  #step(octet: number): boolean {
    switch (this.#state) {
      case SIZE:
        return this.#stepSize(octet);
      case EXTENSION:
        if (octet === CR) this.#state = SIZE_LF;
        return octet === CR || (FIELD_TEXT[octet] === 1 && ++this.#extensionBytes <= MAX_EXTENSION_BYTES);
      case SIZE_LF:
        this.#state = this.#size === 0 ? TRAILERS : DATA;
        return octet === LF;
      case DATA_CR:
        this.#state = DATA_LF;
        return octet === CR;
      default:
        this.#state = SIZE;
        this.#digits = 0;
        return octet === LF;
    }
  }

  #stepSize(octet: number): boolean {
    const digit = hexDigit(octet);
    if (digit !== -1) {
      this.#size = this.#size * 16 + digit;
      return ++this.#digits <= MAX_DIGITS && Number.isSafeInteger(this.#size);
    }
    this.#state = octet === CR ? SIZE_LF : EXTENSION;
    return this.#digits > 0 && (octet === CR || octet === SEMICOLON);
  }
}

function hexDigit(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48;
  const letter = octet | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
