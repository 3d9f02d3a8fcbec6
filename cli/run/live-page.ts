// The live page of `webapp up`: everything that runs here, read from the programs' admin sockets, on a port of its own. What is on the page is at
// live/; here is only where it has it from.
import { hostname } from 'node:os';
import { Registry } from 'prom-client';
import { systemClock } from '../../core/clock.ts';
import { AddressError, formatAddress, type ListenAddress } from '../../http/address.ts';
import { openAdmin } from '../../http/admin.ts';
import { configurationText } from '../../live/configuration.ts';
import { LivePages } from '../../live/live-pages.ts';
import { addLiveRoutes } from '../../live/routes.ts';
import type { Source, Told, WebAppDocuments, WebAppName } from '../../live/source.ts';
import { listedOf } from '../../live/verdict.ts';
import { Failure } from '../failure.ts';
import type { Session } from './session.ts';
import type { Stack } from './stack.ts';

export interface LivePage {
  readonly url: string;
  /** Twice is safe. */
  close(): Promise<void>;
}

const HERE = 'here';

/** What the page and the other commands are told from; it keeps the last minutes. */
export function makePages(session: Pick<Session, 'stacks'>): LivePages {
  return new LivePages({ source: makeSource(session), clock: systemClock });
}

/** @throws Failure ADDRESS_UNUSABLE */
export async function openLivePage(address: ListenAddress, pages: LivePages): Promise<LivePage> {
  const hosts = [hostname(), ...('host' in address ? [address.host] : [])];
  try {
    const admin = await openAdmin(address, {
      ready: () => null,
      status: () => pages.list(),
      metrics: new Registry(),
      routes: (app) => addLiveRoutes(app, pages, { hosts }),
    });
    return {
      url: urlOf(admin.address),
      close: () => admin.close(),
    };
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const mend = 'choose another address for the live page, such as --live 127.0.0.1:0, or none: --live off';
    throw new Failure('ADDRESS_UNUSABLE', `the live page: ${error.reason.replace(/\.$/, '')}`, mend);
  }
}

/** As a person opens it. */
function urlOf(address: ListenAddress): string {
  if ('path' in address) return formatAddress(address);
  const { host, port } = address;
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${formatAddress({ host: shown, port })}`;
}

function makeSource(session: Pick<Session, 'stacks'>): Source {
  const find = (name: WebAppName): Stack | undefined =>
    session.stacks.find((stack) => stack.name === name.name && stack.namespace === name.namespace);
  return {
    list: () => session.stacks.map((stack) => listedOf(documentsOf(stack), systemClock.wall())),
    read: async (name) => {
      const stack = find(name);
      await stack?.look();
      return stack && documentsOf(stack);
    },
    recall: (name) => {
      const stack = find(name);
      return stack && documentsOf(stack);
    },
  };
}

function documentsOf(stack: Stack): WebAppDocuments {
  const { name, address, worker, proxy } = stack.view();
  return {
    namespace: stack.namespace,
    name,
    ...(address !== '' && { url: address }),
    proxies: [told(proxy)],
    workers: [told(worker)],
    conditions: [],
    problems: [],
    configuration: configurationText(stack.target.webApp.spec),
    notAsked: 0,
  };
}

function told<T>(status: T | undefined): Told<T> {
  return status === undefined ? { place: HERE } : { place: HERE, status };
}
