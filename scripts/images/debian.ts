// Which Debian the worker images are, and where its packages come from.
export const SUITE = 'bookworm';
export const DEBIAN_MIRROR = 'http://deb.debian.org/debian';

/** @returns the text of a debian.sources; security updates have a mirror of their own only at Debian's */
export function sourcesOf(mirror: string): string {
  const entry = (uri: string, suites: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`;
  const updates = entry(mirror, `${SUITE} ${SUITE}-updates`);
  return mirror === DEBIAN_MIRROR ? `${updates}\n${entry(`${mirror}-security`, `${SUITE}-security`)}` : updates;
}
