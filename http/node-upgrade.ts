// `UpgradeExchange` over Node's request and its bare socket.
import type { Socket } from 'node:net';
import type { FaultCode } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { Peer, RawHeaders, UpgradeExchange } from './exchange.ts';
import type { DoorRequest } from './node-request.ts';

export class NodeUpgrade implements UpgradeExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly host: string;
  readonly peer: Peer;
  readonly request: DoorRequest;
  readonly socket: Socket;
  readonly head: Buffer;
  requestId = '';
  #connection: Connection;

  constructor(connection: Connection, request: DoorRequest, socket: Socket, head: Buffer) {
    const { judged } = request;
    this.method = request.method ?? '';
    this.target = judged.target;
    this.headers = judged.headers;
    this.host = judged.host;
    this.peer = connection.peer;
    this.request = request;
    this.socket = socket;
    this.head = head;
    this.#connection = connection;
  }

  fail(code: FaultCode): void {
    this.#connection.refuseUpgrade(code, this.requestId);
  }
}
