// Whether an address can be had, before anything is started, and who has it when not.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { AddressError, formatAddress } from '../../http/address.ts';
import { bindServer } from '../../http/bind.ts';
import { Failure } from '../failure.ts';

/** @throws Failure ADDRESS_UNUSABLE, with the process that has the port where the system tells */
export async function checkPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  try {
    await tryPort(host, port);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw await unusable(error, host, port);
  }
}

async function tryPort(host: string, port: number): Promise<void> {
  const server = createServer();
  await bindServer(server, { host, port });
  await new Promise((resolve) => server.close(resolve));
}

/** @returns what to say when the address turned out not to be had */
export async function unusable(
  error: { code: string; reason: string; mend: string },
  host: string,
  port: number,
): Promise<Failure> {
  const shown = formatAddress({ host, port });
  if (error.code === 'ADDRESS_IN_USE') {
    const holder = holderOf(port);
    const other = await freePortAfter(host, port);
    const mend = `stop it${holder ? '' : ` (see who it is: ss -ltnp 'sport = :${port}')`}, or choose another port: --port ${other}`;
    const by = holder ? `${holder.name} (process ${holder.pid})` : 'another program';
    return new Failure('ADDRESS_UNUSABLE', `${shown} is taken by ${by}`, mend);
  }
  if (error.code === 'ADDRESS_DENIED') {
    return new Failure(
      'ADDRESS_UNUSABLE',
      `this user may not listen on port ${port}`,
      'choose one above 1023, such as --port 8000',
    );
  }
  return new Failure('ADDRESS_UNUSABLE', error.reason.replace(/\.$/, ''), error.mend);
}

/** A few ports on: what is shown can be had now. */
async function freePortAfter(host: string, port: number): Promise<number> {
  for (let next = port + 1; next <= Math.min(port + 20, 65_535); next++) {
    if (
      await tryPort(host, next).then(
        () => true,
        () => false,
      )
    ) {
      return next;
    }
  }
  return 0;
}

export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/** Linux: the socket's inode stands in /proc/net/tcp, its holder is whose descriptors name it. Other systems: undefined. */
export function holderOf(port: number): PortHolder | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(readText(file), port)));
  if (inodes.size === 0) return undefined;
  for (const name of entriesOf('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const holds = entriesOf(`/proc/${name}/fd`).some((fd) => inodes.has(inodeOf(`/proc/${name}/fd/${fd}`)));
    if (holds) return { pid: Number(name), name: readText(`/proc/${name}/comm`).trim() };
  }
  return undefined;
}

/** Pure: inodes of the sockets that listen on `port`, from the text of /proc/net/tcp. */
export function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A';
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === LISTEN && Number.parseInt(columns[1]?.split(':')[1] ?? '', 16) === port)
    .map((columns) => columns[9] ?? '');
}

function inodeOf(path: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1] ?? '';
  } catch {
    return '';
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not ours to look into, or gone
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
