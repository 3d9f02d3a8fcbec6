// An upgraded connection as a line of the access log: written when it ends, with all the bytes that went to the client. Pure.
import type { LoggedExchange } from '../../http/access-log.ts';
import type { RawHeaders, UpgradeExchange } from '../../http/exchange.ts';
import { isSameName } from '../hop-by-hop.ts';
import type { UpgradeOutcome } from './upgrades.ts';

export function makeUpgradeRecord(upgrade: UpgradeExchange, outcome: UpgradeOutcome): LoggedExchange {
  const { requestId, peer, method, host, target, headers, socket } = upgrade;
  const { status, fault, startedAt } = outcome;
  return {
    ...{ requestId, peer, method, host, target, status, fault, startedAt },
    bytesSent: socket.bytesWritten,
    state: status === 0 ? 'gone' : 'done',
    header: (name) => fieldOf(headers, name),
  };
}

/** @param name in lower case */
function fieldOf(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const found = headers[i] ?? '';
    if (found.length === name.length && isSameName(found, name)) return headers[i + 1];
  }
  return undefined;
}
