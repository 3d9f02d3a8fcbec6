// The program of one Node application process: loads the application, serves it on the Unix socket that the supervisor named,
// and leaves when it is told to, or when the supervisor is no more. Started by ../node.ts. Wiring only.
import { type AppSettings, SETTINGS_VARIABLE } from '../node/settings.ts';
import { Running } from './app-server.ts';
import { Boot } from './boot.ts';
import { openControl } from './control.ts';
import { Leaving } from './leaving.ts';
import { dieWithSupervisor } from './orphan.ts';

const settings: AppSettings = JSON.parse(process.env[SETTINGS_VARIABLE] ?? 'null');
// Not the application's, nor that of programs which it starts.
delete process.env[SETTINGS_VARIABLE];

dieWithSupervisor(settings.parent);
const running = new Running();
const control = openControl({ onStop: leave, onLost: () => process.kill(process.pid, 'SIGKILL') });
const boot = new Boot(settings, control, running);
const leaving = new Leaving(running);
await boot.start();

function leave(): void {
  boot.end();
  leaving.begin();
}
