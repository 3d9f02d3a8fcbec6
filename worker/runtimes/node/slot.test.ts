// What a slot makes of its connection's fate, with a connection that does as it is told.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ResponseConsumer, WireConnection, WireRequest } from '../../../http/wire/connection.ts';
import { Connections } from './connections.ts';
import { NodeSlot, type SlotProcess } from './slot.ts';
import { Answer, makeRequest } from './test-app.ts';

class ScriptedWire implements WireConnection {
  exchanges = 0;
  bytesWritten = 0;
  usable = true;
  connected = true;
  idleSince = 0;
  destroyed = false;
  onConnect: (() => void) | null = null;
  onDrain: (() => void) | null = null;
  onIdleClose: (() => void) | null = null;
  request: WireRequest | null = null;
  consumer: ResponseConsumer | null = null;
  send(request: WireRequest, consumer: ResponseConsumer): void {
    this.exchanges++;
    this.request = request;
    this.consumer = consumer;
  }
  write(): boolean {
    return true;
  }
  end(): void {}
  pause(): void {}
  resume(): void {}
  destroy(): void {
    this.destroyed = true;
    this.usable = false;
  }
  respond(reusable = true): void {
    this.consumer?.onHead(200, 'OK', ['Content-Length', '0'], 0);
    this.consumer?.onEnd(reusable);
  }
  close(began = false): void {
    this.usable = false;
    this.consumer?.onError('CLOSED', began);
  }
}

class ScriptedProcess implements SlotProcess {
  readonly wires: ScriptedWire[] = [];
  readonly connections = new Connections(() => {
    const wire = new ScriptedWire();
    this.wires.push(wire);
    return wire;
  });
  readonly prefaceStart = '/~s~';
  gone = false;
  readonly waiting: NodeSlot[] = [];
  awaitTurn(slot: NodeSlot): void {
    this.waiting.push(slot);
  }
  wire(index: number): ScriptedWire {
    const wire = this.wires[index];
    if (wire === undefined) throw new Error(`connection ${index} has not been made`);
    return wire;
  }
}

let process_: ScriptedProcess;
let slot: NodeSlot;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
  process_ = new ScriptedProcess();
  slot = new NodeSlot(process_);
});
afterEach(() => {
  vi.useRealTimers();
});

function send(method = 'GET'): Answer {
  const answer = new Answer();
  slot.send(makeRequest({ method, wantAccept: method === 'POST' }), answer);
  return answer;
}

describe('connections', () => {
  test('are reused, last in first out, and never shared', () => {
    const other = new NodeSlot(process_);
    send();
    other.send(makeRequest({}), new Answer());
    expect(process_.wires.length).toBe(2);
    process_.wire(0).respond();
    process_.wire(1).respond();
    send();
    expect(process_.wires.map(({ exchanges }) => exchanges)).toEqual([1, 2]);
  });

  test('that cannot be reused, or closed while idle, are forgotten', () => {
    send();
    process_.wire(0).respond(false);
    send();
    expect(process_.wires.length).toBe(2);
    process_.wire(1).respond();
    process_.wire(1).onIdleClose?.();
    send();
    expect([process_.wires.length, process_.wire(1).destroyed]).toEqual([3, true]);
  });

  test('are closed with the process, those that come back later as well', () => {
    send();
    process_.connections.close();
    process_.wire(0).respond();
    expect(process_.wire(0).destroyed).toBe(true);
  });
});

describe('a connection that closes before the response', () => {
  test('of a process that is gone: died', () => {
    const answer = send();
    process_.gone = true;
    process_.wire(0).close();
    expect(answer.failure).toBe('died: the process ended');
  });

  test('of a process that goes soon after: died', () => {
    const answer = send('POST');
    process_.wire(0).consumer?.onInform(102, []);
    process_.wire(0).close(true);
    expect(answer.failure).toBeNull();
    slot.processGone();
    expect([answer.accepted, answer.failure]).toEqual([true, 'died: the process ended']);
    vi.runAllTimers();
  });

  test('of a process that lives: aborted by the application', () => {
    const answer = send();
    process_.wire(0).close();
    vi.runAllTimers();
    expect(answer.failure).toBe('aborted: the application closed the connection');
    slot.processGone();
  });

  test('whose end is read after the time was over, by a worker that had no CPU: died', () => {
    const answer = send();
    process_.wire(0).close();
    vi.advanceTimersToNextTimer(); // the time is over; what has arrived is read after timers and before immediates
    expect(answer.failure).toBeNull();
    slot.processGone();
    vi.runAllTimers();
    expect(answer.failure).toBe('died: the process ended');
  });

  test('and was reused: tried once more on a new one, when nothing had come', () => {
    send();
    process_.wire(0).respond();
    const answer = send('POST');
    process_.wire(0).close();
    expect(process_.wire(1).request?.method).toBe('POST');
    process_.wire(1).respond();
    expect([answer.status, answer.failure]).toEqual([200, null]);
  });

  test('and was reused: not tried again when it was accepted, nor a third time', () => {
    send();
    process_.wire(0).respond();
    const accepted = send('POST');
    process_.wire(0).consumer?.onInform(102, []);
    process_.wire(0).close(true);
    vi.runAllTimers();
    expect([accepted.failure, process_.wires.length]).toEqual(['aborted: the application closed the connection', 1]);
    send();
    process_.wire(1).respond();
    const unlucky = send('POST');
    process_.wire(1).close();
    process_.wire(2).close();
    vi.runAllTimers();
    expect([unlucky.failure, process_.wires.length]).toEqual(['aborted: the application closed the connection', 3]);
  });

  test('because it is never made: died', () => {
    const answer = send();
    process_.wire(0).consumer?.onError('CONNECT_TIMEOUT', false);
    expect(answer.failure).toBe('died: no connection to the process (CONNECT_TIMEOUT)');
  });

  test('because it is refused: died, with the process when its end is heard of', () => {
    const answer = send();
    process_.wire(0).consumer?.onError('REFUSED', false);
    expect(answer.failure).toBeNull();
    slot.processGone();
    expect(answer.failure).toBe('died: the process ended');
    const other = send();
    process_.wire(1).consumer?.onError('REFUSED', false);
    vi.runAllTimers();
    expect(other.failure).toBe('died: no connection to the process');
  });

  test('with what is no HTTP: invalid', () => {
    const answer = send();
    process_.wire(0).consumer?.onError('INVALID', true);
    expect(answer.failure).toMatch(/^invalid/);
  });
});

describe('a head', () => {
  test('is held until the end of its read, and no longer', async () => {
    const answer = send();
    process_.wire(0).consumer?.onHead(200, 'OK', [], null);
    process_.wire(0).consumer?.onData(Buffer.from('a'));
    expect(answer.status).toBe(0);
    await new Promise(process.nextTick);
    expect([answer.status, answer.text]).toEqual([200, 'a']);
    process_.wire(0).consumer?.onData(Buffer.from('b'));
    process_.wire(0).consumer?.onEnd(true);
    expect([answer.text, answer.whole]).toEqual(['ab', false]);
  });

  test('of one response is never given with the next', async () => {
    send();
    process_.wire(0).respond();
    const second = send();
    await new Promise(process.nextTick);
    expect(second.status).toBe(0);
  });

  test('that had been held when the process died is not given', () => {
    const answer = send();
    process_.wire(0).consumer?.onHead(200, 'OK', [], null);
    process_.gone = true;
    process_.wire(0).close(true);
    expect([answer.status, answer.failure]).toEqual([0, 'died: the process ended']);
  });
});

describe('cancel', () => {
  test('cuts at once, frees when the event loop has turned, and tells nothing in between', async () => {
    const answer = send();
    process_.wire(0).consumer?.onHead(200, 'OK', [], null);
    slot.cancel();
    slot.cancel();
    await new Promise(process.nextTick);
    expect([process_.wire(0).destroyed, process_.waiting.length, answer.status]).toEqual([true, 1, 0]);
    slot.turned();
    expect(answer.failure).toBe('aborted: the client has gone');
  });

  test('of a process that ends instead', () => {
    const answer = send();
    slot.cancel();
    slot.processGone();
    expect(answer.failure).toBe('died: the process ended');
    slot.turned();
  });

  test('of a process that is gone already, not within the call', async () => {
    const answer = send();
    process_.gone = true;
    slot.cancel();
    expect(answer.failure).toBeNull();
    await new Promise(process.nextTick);
    expect(answer.failure).toBe('died: the process ended');
  });

  test('while a closed connection is being explained', () => {
    const answer = send();
    process_.wire(0).close();
    slot.cancel();
    vi.runAllTimers();
    expect(answer.failure).toBeNull();
    slot.turned();
    expect(answer.failure).toBe('aborted: the client has gone');
  });

  test('of a free slot is nothing, and the next request is not harmed', () => {
    slot.cancel();
    const answer = send();
    process_.wire(0).respond();
    expect([answer.status, process_.waiting.length]).toEqual([200, 0]);
  });
});

test('a request that cannot be written is a failure of that request', async () => {
  const answer = new Answer();
  process_.connections.give(
    Object.assign(new ScriptedWire(), {
      send: () => {
        throw new Error('cannot be sent');
      },
    }),
  );
  slot.send(makeRequest({}), answer);
  await answer.over;
  expect(answer.failure).toBe('aborted: Error: cannot be sent');
});
