// What a request's WSGI environ has beyond the adapter's template, as text of frame REQUEST: NUL-joined key, value, …
// PEP 3333, RFC 3875 §4.1. Hot path: names are looked up, never rebuilt, and the text is one concatenation.
import type { BufferedRequest } from '../../slot.ts';

/** A header's place in the environ; '' for one that does not go there. */
interface Key {
  readonly name: string;
  /** Number of the last request that had it: tells a repeat without a set for each request. */
  seenIn: number;
}

/** Clients make names up: beyond so many, a name is worked out anew each time. */
const MAX_KEYS = 1000;

const NOWHERE = '';

/** Of an environ with repeated or unknown names: what was joined so far, by key. */
type Joined = Map<string, string>;

export class EnvironWriter {
  /** By name as clients spell it. */
  readonly #keys = new Map<string, Key>();
  /** By name in the environ, shared by all spellings, so that `Cookie` and `cookie` are seen to be the same. */
  readonly #places = new Map<string, Key>();
  #request = 0;
  #host = '';
  #serverName = '';
  #serverPort = '';

  /** @returns the environ of `request` */
  write(request: BufferedRequest): string {
    return this.#fixed(request) + (this.#headers(request) ?? joinedHeaders(request));
  }

  #fixed(request: BufferedRequest): string {
    const { target, peer } = request;
    const query = target.indexOf('?');
    // PEP 3333 has no place for `*`: an empty path is the only one that is right for all.
    const path = target === '*' ? '' : query < 0 ? target : target.slice(0, query);
    const peerPort = request.clientAddress === peer.address ? peer.port : 0;
    this.#readHost(request);
    let text =
      `REQUEST_METHOD\0${request.method}\0REQUEST_URI\0${target}\0PATH_INFO\0${path}` +
      `\0SERVER_PROTOCOL\0HTTP/${request.version}\0SERVER_NAME\0${this.#serverName}\0SERVER_PORT\0${this.#serverPort}` +
      `\0REMOTE_ADDR\0${request.clientAddress}\0REMOTE_PORT\0${peerPort}`;
    if (query >= 0) text += `\0QUERY_STRING\0${target.slice(query + 1)}`;
    if (request.scheme !== 'http') text += `\0wsgi.url_scheme\0${request.scheme}`;
    // A chunked body has become one of known length.
    if (request.hasBody) text += `\0CONTENT_LENGTH\0${request.bodyBytes}`;
    return text;
  }

  /** The name and port asked for; a server asked for none goes by where it was reached. */
  #readHost(request: BufferedRequest): void {
    const host = request.host || request.peer.localAddress || 'localhost';
    const key = `${request.scheme}:${host}`;
    if (key === this.#host) return;
    this.#host = key;
    const colon = /:([0-9]*)$/.exec(host);
    this.#serverName = colon ? host.slice(0, colon.index) : host;
    this.#serverPort =
      colon?.[1] ||
      (request.host === '' && request.peer.localPort ? `${request.peer.localPort}` : portOf(request.scheme));
  }

  /** @returns null when a name comes twice or is not known: then they are joined by the slow way */
  #headers(request: BufferedRequest): string | null {
    const { headers } = request;
    const number = ++this.#request;
    let text = '';
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] as string;
      const key = this.#keys.get(name) ?? this.#learn(name);
      if (key === null || key.seenIn === number) return null;
      if (key.name === NOWHERE) continue;
      key.seenIn = number;
      text += `\0${key.name}\0${headers[index + 1]}`;
    }
    return text;
  }

  /** @returns null when there are too many names to keep another */
  #learn(name: string): Key | null {
    if (this.#keys.size >= MAX_KEYS) return null;
    const place = keyOf(name);
    const key = this.#places.get(place) ?? { name: place, seenIn: 0 };
    this.#places.set(place, key);
    this.#keys.set(name, key);
    return key;
  }
}

function portOf(scheme: string): string {
  return scheme === 'https' ? '443' : '80';
}

function joinedHeaders({ headers }: BufferedRequest): string {
  const joined: Joined = new Map();
  for (let index = 0; index < headers.length; index += 2) {
    const key = keyOf(headers[index] as string);
    if (key === NOWHERE) continue;
    const before = joined.get(key);
    const value = headers[index + 1] as string;
    // RFC 9110 §5.3; a cookie's values are parted by `; `, RFC 6265 §5.4.
    joined.set(key, before === undefined ? value : before + (key === 'HTTP_COOKIE' ? '; ' : ',') + value);
  }
  let text = '';
  for (const [key, value] of joined) text += `\0${key}\0${value}`;
  return text;
}

/** @returns key of the environ, NOWHERE for a header that does not go there */
function keyOf(name: string): string {
  const upper = name.toUpperCase().replaceAll('-', '_');
  // `A_B` and `A-B` would become one name: a way to forge what a proxy has set. `Proxy` would become HTTP_PROXY, which HTTP
  // clients believe (httpoxy). Length and coding of the body are told by CONTENT_LENGTH, as it is here.
  if (name.includes('_') || upper === 'PROXY' || upper === 'CONTENT_LENGTH' || upper === 'TRANSFER_ENCODING')
    return NOWHERE;
  return upper === 'CONTENT_TYPE' ? upper : `HTTP_${upper}`;
}
