// Python WSGI processes: each connects to the runtime's Unix socket and takes requests as frames (../frames.ts). The adapter
// in ../python/ imports and serves the application. Used by the supervisor; knows nothing of queues, clients or restarts.
import type { AppSpec, BootFailure, Child, ChildEvents, MakeRuntime, Runtime } from './runtime.ts';
import { Connections } from './wsgi/connections.ts';
import { EnvironWriter } from './wsgi/environ.ts';
import { Listener } from './wsgi/listener.ts';
import { adapterMain, findPython } from './wsgi/python.ts';
import { type Command, SpawnedChild } from './wsgi/spawned-child.ts';

export const makeWsgiRuntime: MakeRuntime = (spec, runDirectory) => new WsgiRuntime(spec, runDirectory);

class WsgiRuntime implements Runtime {
  readonly #spec: AppSpec;
  readonly #listener: Listener;
  readonly #environ = new EnvironWriter();

  constructor(spec: AppSpec, runDirectory: string) {
    this.#spec = spec;
    this.#listener = new Listener(runDirectory);
  }

  start(id: number, events: ChildEvents): Child {
    this.#listener.open();
    const command = this.#command(id);
    if ('reason' in command) return new UnstartedChild(command, events);
    const connections = new Connections(this.#listener, `${id}`, this.#spec.threads, this.#environ, events);
    return new SpawnedChild(command, connections, events);
  }

  close(): void {
    this.#listener.close();
  }

  #command(id: number): Command | BootFailure {
    const { app, directory, threads, development } = this.#spec;
    if (this.#listener.problem !== '') return unreachable(this.#listener.problem);
    // The application's own settings are laid over the environment of this program.
    const env = { ...process.env, ...this.#spec.env };
    const python = findPython(directory, env);
    if (typeof python !== 'string') return python;
    const { path: socket, token } = this.#listener;
    const settings = JSON.stringify({ socket, token, id, app, threads, development });
    return { python, args: [adapterMain(), app], directory, env: { ...env, WEBAPP_ADAPTER: settings } };
  }
}

/** A process that cannot even be tried. Tells so after `start` has returned. */
class UnstartedChild implements Child {
  constructor(failure: BootFailure, events: ChildEvents) {
    setImmediate(() => {
      events.onBootFailed(failure);
      events.onExit(null, null);
    });
  }
  stop(): void {}
  kill(): void {}
}

function unreachable(problem: string): BootFailure {
  return {
    reason: `the worker cannot be reached by its processes: ${problem}`,
    mend: 'Give a writable folder with a short path for temporary files, by the environment variable TMPDIR.',
    traceback: '',
  };
}
