// Python WSGI processes: each connects to the runtime's Unix socket and takes requests as frames (../frames.ts). The adapter
// in ../python/ imports and serves the application. Used by the supervisor; knows nothing of queues, clients or restarts.
import type { AppSpec, BootFailure, Child, ChildEvents, MakeRuntime, Runtime } from './runtime.ts';
import { Connections, type ConnectionsEvents } from './wsgi/connections.ts';
import { EnvironWriter } from './wsgi/environ.ts';
import { ForkedChild } from './wsgi/forked-child.ts';
import { Listener } from './wsgi/listener.ts';
import { PARENT_ID, PreloadParent } from './wsgi/preload-parent.ts';
import { adapterMain, findPython } from './wsgi/python.ts';
import { type Command, SpawnedChild } from './wsgi/spawned-child.ts';

export const makeWsgiRuntime: MakeRuntime = (spec, runDirectory) => new WsgiRuntime(spec, runDirectory);

class WsgiRuntime implements Runtime {
  readonly #spec: AppSpec;
  readonly #listener: Listener;
  readonly #environ = new EnvironWriter();
  readonly #parent: PreloadParent | null;

  constructor(spec: AppSpec, runDirectory: string) {
    this.#spec = spec;
    this.#listener = new Listener(runDirectory);
    this.#parent = spec.preload ? new PreloadParent(this.#listener, () => this.#command(PARENT_ID)) : null;
  }

  start(id: number, events: ChildEvents): Child {
    this.#listener.open();
    return this.#parent === null ? this.#spawn(id, events) : this.#fork(id, this.#parent, events);
  }

  close(): void {
    this.#parent?.close();
    this.#listener.close();
  }

  #spawn(id: number, events: ChildEvents): Child {
    const command = this.#command(id);
    if ('reason' in command) return new UnstartedChild(command, events);
    return new SpawnedChild(command, this.#awaitConnections(id, events), events);
  }

  #fork(id: number, parent: PreloadParent, events: ChildEvents): Child {
    const child = new ForkedChild(id, parent, (told) => this.#awaitConnections(id, told), events);
    parent.fork(child);
    return child;
  }

  #awaitConnections(id: number, events: ConnectionsEvents): Connections {
    return new Connections(this.#listener, `${id}`, this.#spec.threads, this.#environ, events);
  }

  #command(id: number | typeof PARENT_ID): Command | BootFailure {
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
