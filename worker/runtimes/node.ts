// The Node runtime: application processes that run ./node-app on Express and its like, each listening with a real http.Server on
// a private Unix socket, to which the front speaks HTTP/1.1 (docs/decisions/0003). Implements runtime.ts for the supervisor.
import type { Log } from '../../core/log.ts';
import { NodeProcess } from './node/node-process.ts';
import { makeSecret } from './node/preface.ts';
import type { AppSpec, ChildEvents, MakeRuntime, Runtime } from './runtime.ts';

export const makeNodeRuntime: MakeRuntime = (spec: AppSpec, runDirectory: string, log: Log): Runtime => {
  const secret = makeSecret();
  const place = { runDirectory, secret };
  return {
    start(id: number, events: ChildEvents) {
      const process = new NodeProcess(spec, place, log.with({ process: id }));
      process.start(id, events);
      return process;
    },
    // The processes are the supervisor's; nothing else is held.
    close() {},
  };
};
