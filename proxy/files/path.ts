// Which file a request target means. Pure: no file is touched here. Strict on purpose: what is not plainly a file's path below
// the folder is no file of ours, and goes to the application as it came.

export interface StaticFolder {
  /** Begins with `/`, without one at the end; '' is the whole site. */
  readonly path: string;
  /** Absolute. A file is looked for in each in turn: the current version of the application, then earlier ones. */
  readonly directories: readonly string[];
}

/** @returns the folders, those with the longest path first, as `pickFolder` wants them */
export function byLength<Folder extends StaticFolder>(folders: readonly Folder[]): Folder[] {
  return folders.toSorted((a, b) => b.path.length - a.path.length);
}

/**
 * @param folders longest path first
 * @returns the first whose path is the target's beginning up to a `/`; `/static` is not the beginning of `/statics/a`
 */
export function pickFolder<Folder extends StaticFolder>(
  folders: readonly Folder[],
  target: string,
): Folder | undefined {
  for (const folder of folders) {
    if (target.charCodeAt(folder.path.length) === SLASH && target.startsWith(folder.path)) return folder;
  }
  return undefined;
}

/** @returns the target without its query */
export function pathOf(target: string): string {
  const question = target.indexOf('?');
  return question === -1 ? target : target.slice(0, question);
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const LONGEST = 2048;

/**
 * Decodes `%XX` to bytes, once, and checks each segment. Refused: a malformed escape, an encoded `/`, control bytes and NUL,
 * empty segments, segments that begin with a dot (`.`, `..`, dot files and folders), a path that ends in `/`.
 * @param path of a request, percent-encoded, beginning with `prefix` and `/`
 * @returns the path below the folder as a string of bytes (latin1), without a `/` in front; null when it can be no file
 */
export function relativePath(path: string, prefix: string): string | null {
  if (path.length > LONGEST) return null;
  const decoded = decodeBytes(path.slice(prefix.length + 1));
  if (decoded === null) return null;
  return decoded.split('/').every(isServedSegment) ? decoded : null;
}

function isServedSegment(segment: string): boolean {
  return segment !== '' && segment[0] !== '.';
}

function decodeBytes(text: string): string | null {
  let decoded = '';
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code === PERCENT) {
      code = hexDigit(text.charCodeAt(i + 1)) * 16 + hexDigit(text.charCodeAt(i + 2));
      if (Number.isNaN(code) || code === SLASH) return null;
      i += 2;
    }
    if (code < 0x20 || code === 0x7f || code > 0xff) return null;
    decoded += String.fromCharCode(code);
  }
  return decoded;
}

/** @returns NaN for what is no hexadecimal digit, the end of the text included */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

/** @returns the extension in lower case without its dot, '' when the last segment has none */
export function extensionOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot <= path.lastIndexOf('/') ? '' : path.slice(dot + 1).toLowerCase();
}
