// The application process's end of the control pipe: a socket pair on a descriptor of its own. Not child_process's IPC channel:
// that one belongs to the application as `process.send` and `process.on('message')`, which some use to ask whether a parent is
// listening, and `process.disconnect()` would look like the loss of the supervisor.
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { type ChildMessage, CONTROL_FD, Lines, PING_LINE, STOP_LINE } from '../node/settings.ts';

export interface Control {
  /** In full before it returns, so that an exit may follow. The supervisor may be gone: then nobody misses it. */
  tell(message: ChildMessage): void;
}

export interface ControlEvents {
  onStop(): void;
  /** The supervisor is no more. */
  onLost(): void;
}

/** Opens the pipe. It does not keep the process alive. */
export function openControl(events: ControlEvents): Control {
  const pipe = new Socket({ fd: CONTROL_FD });
  const lines = new Lines();
  pipe.setEncoding('utf8');
  pipe.on('data', (text: string) => {
    for (const line of lines.push(text)) {
      if (line === STOP_LINE) events.onStop();
      else if (line === PING_LINE) tell({ type: 'pong' });
    }
  });
  pipe.on('error', () => undefined);
  pipe.on('close', () => events.onLost());
  pipe.unref();
  return { tell };
}

function tell(message: ChildMessage): void {
  try {
    writeSync(CONTROL_FD, `${JSON.stringify(message)}\n`);
  } catch {
    // EPIPE: the loss is told by the pipe's close.
  }
}
