// Puts a server on an address, for the front door and the admin port: one place that knows stale socket files and what the
// kernel's refusals mean for a person.

import { lookup } from 'node:dns/promises';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import * as net from 'node:net';
import { AddressError, formatAddress, type ListenAddress } from './address.ts';

/** Longest queue of connections that the kernel holds for us; it cuts this to net.core.somaxconn. */
const BACKLOG = 2048;
/** Owner and group may connect, so that two containers of one pod can share a socket by fsGroup. */
const SOCKET_MODE = 0o660;

/**
 * Listens. A socket file that nobody answers on is removed first.
 * @returns the address in force: the port when 0 was asked for
 * @throws AddressError
 */
export async function bindServer(server: net.Server, address: ListenAddress): Promise<ListenAddress> {
  if ('path' in address) await removeStaleSocket(address.path);
  await listen(server, address);
  if ('path' in address) {
    chmodSync(address.path, SOCKET_MODE);
    return address;
  }
  const bound = server.address();
  return { host: address.host, port: bound !== null && typeof bound === 'object' ? bound.port : address.port };
}

function listen(server: net.Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(explain(error, address));
    server.once('error', refuse);
    server.once('listening', () => {
      server.removeListener('error', refuse);
      resolve();
    });
    if ('fd' in address) server.listen({ fd: address.fd }, BACKLOG);
    else server.listen({ ...address, backlog: BACKLOG });
  });
}

/**
 * Binds without listening: for a process that keeps the socket for others. A name is looked up once.
 * @throws AddressError
 */
export async function reserve(address: Exclude<ListenAddress, { path: string }>): Promise<net.BoundSocket> {
  try {
    const { address: host } = await lookup(address.host);
    return new net.BoundSocket({ host, port: address.port });
  } catch (error) {
    throw explain(error as NodeJS.ErrnoException, address);
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  if (await answers(path)) return;
  try {
    unlinkSync(path);
  } catch {
    // Gone meanwhile, or not ours: then listening says so.
  }
}

/** @returns false only where the kernel says that no process holds the socket */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    const settle = (held: boolean): void => {
      probe.destroy();
      resolve(held);
    };
    probe.once('connect', () => settle(true));
    probe.once('error', (error: NodeJS.ErrnoException) => settle(error.code !== 'ECONNREFUSED'));
  });
}

/** @returns `error` of listening on `address`, in a person's words */
function explain(error: NodeJS.ErrnoException, address: ListenAddress): AddressError {
  const shown = formatAddress(address);
  switch (error.code) {
    case 'EADDRINUSE':
      return new AddressError('ADDRESS_IN_USE', `${shown} is in use.`, mendInUse(address), { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new AddressError('ADDRESS_DENIED', `Listening on ${shown} is not allowed.`, mendDenied(address), {
        cause: error,
      });
    default:
      return new AddressError('ADDRESS_INVALID', `Cannot listen on ${shown}: ${error.message}.`, mendInvalid(address), {
        cause: error,
      });
  }
}

function mendInUse(address: ListenAddress): string {
  if ('path' in address) return `See who holds it: lsof ${address.path}. Stop that process, or choose another path.`;
  return `See who holds it: ss -ltnp 'sport = :${address.port}'. Stop that process, or choose another port (0: any free one).`;
}

function mendDenied(address: ListenAddress): string {
  if ('path' in address) return 'Choose a folder that this user may write to.';
  return 'Choose a port of 1024 or above, or give the program the capability NET_BIND_SERVICE.';
}

function mendInvalid(address: ListenAddress): string {
  if ('path' in address) return 'Choose a path whose folder exists.';
  return 'Choose an address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for all interfaces.';
}
