// The proxy program of one stack: it holds the public port for as long as the stack runs.
import { join } from 'node:path';
import type { ProxyConfig } from '../../core/config/proxy.ts';
import { type ProxyStatus, proxyStatusSchema } from '../../core/status/proxy.ts';
import { formatAddress, parseAddress } from '../../http/address.ts';
import type { Failure } from '../failure.ts';
import type { ProgramRecord } from '../terminal/program-line.ts';
import { AdminClient } from './admin-client.ts';
import { unusable } from './port.ts';
import { type Exit, Program } from './program.ts';
import { NODE_FLAGS, programPath } from './program-path.ts';
import { writeDocument } from './run-folder.ts';
import type { StackSettings } from './settings.ts';
import { StartFailure } from './start-failure.ts';
import { stopWithin } from './worker-unit.ts';

export interface ProxyEvents {
  onRecord(record: ProgramRecord): void;
  /** Of the access log, mostly. */
  onLine(line: string): void;
  onListening(): void;
  onCrash(exit: Exit, againInMs: number): void;
  onFailed(failure: Failure): void;
}

export class ProxyUnit {
  status: ProxyStatus | undefined;
  failed: Failure | null = null;
  listens = false;
  /** 0: any free one, until it listens. */
  port: number;
  readonly #host: string;
  readonly #program: Program;
  readonly #admin: AdminClient<ProxyStatus>;
  readonly #configPath: string;
  readonly #failure = new StartFailure('proxy');
  readonly #events: ProxyEvents;

  constructor(folder: string, port: number, settings: StackSettings, events: ProxyEvents) {
    const { executable, environment, now, accessLog, host } = settings;
    this.port = port;
    this.#host = host;
    this.#events = events;
    this.#configPath = join(folder, 'proxy.json');
    const admin = join(folder, 'proxy.sock');
    this.#admin = new AdminClient(admin, proxyStatusSchema);
    const args = (): string[] => [
      ...[
        ...NODE_FLAGS,
        programPath('proxy'),
        '--config',
        this.#configPath,
        '--listen',
        formatAddress({ host, port: this.port }),
      ],
      ...['--admin', `unix:${admin}`, '--access-log', accessLog ? '-' : 'off', '--exit-with-parent'],
    ];
    this.#program = new Program(
      { executable, args, environment },
      {
        onRecord: (record) => this.#onRecord(record),
        onLine: (line) => events.onLine(line),
        onDown: (exit, againInMs) => {
          this.status = undefined;
          if (againInMs !== null) events.onCrash(exit, againInMs);
          else void this.#onFailed(exit);
        },
      },
      now,
    );
  }

  #onRecord(record: ProgramRecord): void {
    this.#failure.take(record);
    if (record.msg === 'listening') this.#onListening(record);
    const isLast = !this.#program.established && record.fields['code'] !== undefined;
    if (!isLast) this.#events.onRecord(record);
  }

  #onListening({ fields }: ProgramRecord): void {
    const address = parseAddress(String(fields['listen']));
    if ('port' in address) this.port = address.port;
    this.listens = true;
    this.#events.onListening();
  }

  /** The port was free a moment ago: somebody may have been quicker. */
  async #onFailed(exit: Exit): Promise<void> {
    const { code, reason, mend } = this.#failure;
    const isAddress = code.startsWith('ADDRESS_');
    this.failed = isAddress
      ? await unusable({ code, reason, mend }, this.#host, this.port)
      : this.#failure.toFailure(exit);
    this.#events.onFailed(this.failed);
  }

  run(document: ProxyConfig): void {
    this.tell(document);
    this.#program.start();
  }

  /** The program watches its document. */
  tell(document: ProxyConfig): void {
    writeDocument(this.#configPath, document);
  }

  /** From now on it is started again when it ends by itself. */
  establish(): void {
    this.#program.established = true;
  }

  /** Asks for its status; a program that does not answer has none. */
  async look(): Promise<void> {
    this.status = await this.#admin.status();
  }

  /** As a person opens it; '' before it listens. */
  get url(): string {
    if (!this.listens) return '';
    const shown = this.#host === '0.0.0.0' ? '127.0.0.1' : this.#host === '::' ? '::1' : this.#host;
    return `http://${formatAddress({ host: shown, port: this.port })}`;
  }

  /** It finishes what it has; at once after `withinMs`. Resolves when it has ended. */
  async stop(withinMs: number): Promise<void> {
    await stopWithin(this.#program, withinMs);
    this.#admin.close();
  }

  async kill(): Promise<void> {
    await this.#program.kill();
    this.#admin.close();
  }
}
