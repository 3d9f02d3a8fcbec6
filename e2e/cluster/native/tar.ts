// A tar archive of regular files, in memory: enough for image layers and OCI layouts. Pure.

export interface TarFile {
  /** Relative, at most 100 bytes. */
  readonly path: string;
  readonly content: Buffer;
  /** Default 0644. */
  readonly mode?: number;
}

const BLOCK = 512;

/** Owned by root, of no time: the same files make the same bytes. @returns ustar */
export function tar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap((file) => [headerOf(file), file.content, padding(file.content.length)]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

const padding = (bytes: number): Buffer => Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);

/** @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (ustar Interchange Format) */
function headerOf({ path, content, mode = 0o644 }: TarFile): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path}: longer than the 100 bytes of a tar header`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  };
  header.write(path, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
}
