// Whether a request comes from here and was meant for us: a page of another site can have its name lead to 127.0.0.1 (DNS rebinding) and would then read ours as its own. Its name
// is in the Host header, and a browser lets no script change that. Pure.
import { isIP } from 'node:net';

/**
 * @param host of the request, such as `localhost:9100`
 * @param names that lead here besides, such as `.svc` (an ending) or `host.example` (whole)
 * @returns whether it is an address or a name that only this machine or cluster gives
 */
export function isOwnHost(host: string | undefined, names: readonly string[] = []): boolean {
  const name = nameOf(host ?? '');
  if (name === '') return false;
  if (isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  return names.some((own) => (own.startsWith('.') ? name.endsWith(own) : name === own.toLowerCase()));
}

/** @param peer address of who asks, as a socket tells it */
export function isHere(peer = ''): boolean {
  return peer === '::1' || /^(::ffff:)?127\./.test(peer);
}

function nameOf(host: string): string {
  const [, ipv6, name = ''] = /^(?:\[([0-9a-f:.]+)\]|([0-9a-z._-]+))(?::[0-9]{1,5})?$/i.exec(host) ?? [];
  return (ipv6 ?? name).toLowerCase();
}
