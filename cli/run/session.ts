// All WebApps of one `webapp up`: started together, kept in step with their manifests, ended together.

import { systemClock } from '../../core/clock.ts';
import { Failure } from '../failure.ts';
import { nameStyle } from '../terminal/paint.ts';
import { recordText } from '../terminal/program-line.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { LogBook } from './log-book.ts';
import type { ProgramName } from './program-path.ts';
import type { RunFolder } from './run-folder.ts';
import type { StackSettings } from './settings.ts';
import { type Applied, Stack, type StackEvents } from './stack.ts';
import { describeExit } from './start-failure.ts';
import { type Target, withProcesses } from './target.ts';

/** Provides an application's environment, made where it is missing. */
export type Provide = (target: Target) => Promise<Readonly<Record<string, string>>>;

export interface SessionOptions {
  readonly settings: StackSettings;
  readonly folder: RunFolder;
  readonly reporter: Reporter;
  readonly provide: Provide;
  /** Of the first WebApp; the others count up. 0: any free ones. */
  readonly port: number;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #stacks = new Map<string, Stack>();
  readonly #logs = new Map<string, LogBook>();
  /** Edits and orders are brought into force one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #started = 0;
  #ending = false;
  readonly #events: StackEvents;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { reporter } = options;
    this.#events = {
      onRecord: (stack, record, from) => {
        this.#take(stack, from, recordText(record, systemClock.wall()));
        reporter.record(stack.view(), record);
      },
      onLine: (stack, line, from) => {
        this.#take(stack, from, line);
        if (from === 'proxy') reporter.access(stack.view(), line);
        else reporter.application(stack.view(), line);
      },
      onCrash: (stack, program, exit, againInMs) => {
        const text = `the ${program} ${describeExit(exit)}; it is started again in ${(againInMs / 1000).toFixed(1)} s`;
        this.#take(stack, program, `✗ ${text}`);
        reporter.about(stack.view(), `✗ ${text}`, 'bad');
      },
    };
  }

  #take(stack: Stack, program: ProgramName, text: string): void {
    this.#logs.get(stack.name)?.take(program === 'proxy' ? 'proxy' : 'app', text);
  }

  /** What its programs and its application wrote last. */
  logOf(name: string): LogBook | undefined {
    return this.#logs.get(name);
  }

  get stacks(): readonly Stack[] {
    return [...this.#stacks.values()];
  }

  /**
   * Starts all, side by side.
   * @throws Failure of the first that cannot start; those that did are left to `kill`
   */
  async start(targets: readonly Target[]): Promise<void> {
    const environments = await this.#provideAll(targets);
    const ports = allotPorts(this.#options.port, new Set(), targets.length);
    const stacks = targets.map((target, index) =>
      this.#makeStack(target, environments[index] ?? {}, ports[index] ?? 0),
    );
    await Promise.all(stacks.map((stack) => this.#startOne(stack)));
  }

  /** One after the other: two installations at once would say their progress at once. */
  async #provideAll(targets: readonly Target[]): Promise<Readonly<Record<string, string>>[]> {
    const environments: Readonly<Record<string, string>>[] = [];
    for (const target of targets) environments.push(await this.#options.provide(target));
    return environments;
  }

  #makeStack(target: Target, variables: Readonly<Record<string, string>>, port: number): Stack {
    const { folder, settings } = this.#options;
    const number = ++this.#started;
    const place = { folder: folder.enter(String(number)), port, style: nameStyle(number - 1) };
    const stack = new Stack(target, variables, place, settings, this.#events);
    this.#stacks.set(target.name, stack);
    this.#logs.set(target.name, new LogBook(systemClock.wall));
    return stack;
  }

  async #startOne(stack: Stack): Promise<void> {
    try {
      await stack.start();
    } catch (error) {
      if (!(error instanceof Failure) || this.#stacks.size === 1) throw error;
      throw new Failure(error.code, `${stack.name}: ${error.message}`, error.mend, error.detail);
    }
    if (this.#ending) return;
    const { reporter } = this.#options;
    reporter.ready(stack.view());
  }

  /** Brings the manifests' new state into force, each WebApp by itself: one that fails does not hold up the others. */
  converge(targets: readonly Target[]): Promise<void> {
    return this.#inTurn(() => this.#converge(targets));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  async #converge(targets: readonly Target[]): Promise<void> {
    const plan = planEdit(this.stacks, targets);
    await Promise.all([
      ...plan.stop.map((stack) => this.#remove(stack)),
      ...plan.apply.map(([stack, target]) => this.#apply(stack, target)),
      this.#add(plan.start),
    ]);
  }

  /**
   * Another number of application processes, until the manifest changes or the run ends: the manifest itself is not touched.
   * @returns undefined: there is no such WebApp
   */
  resize(name: string, processes: number): Promise<Applied | undefined> {
    return this.#inTurn(async () => {
      const stack = this.#stacks.get(name);
      if (!stack) return undefined;
      const applied = await stack.apply(withProcesses(stack.target, processes), stack.variables);
      const changes = applied.changes.join(', ');
      const { reporter } = this.#options;
      if (applied.refused) reporter.about(stack.view(), `✗ not applied: ${applied.refused.message}`, 'bad');
      else if (changes !== '') reporter.about(stack.view(), `✓ applied until the manifest changes: ${changes}`, 'good');
      return applied;
    });
  }

  /** Every process is replaced, replacement first. @returns false: there is no such WebApp */
  restart(name: string): boolean {
    const stack = this.#stacks.get(name);
    if (!stack) return false;
    this.#options.reporter.about(stack.view(), 'every process is replaced, as was asked for');
    stack.reload();
    return true;
  }

  #forget(name: string): void {
    this.#stacks.delete(name);
    this.#logs.delete(name);
  }

  async #remove(stack: Stack): Promise<void> {
    const { reporter } = this.#options;
    reporter.about(stack.view(), 'removed from the manifest: it finishes its requests and stops');
    await stack.drain();
    this.#forget(stack.name);
    reporter.about(stack.view(), 'stopped');
  }

  async #add(targets: readonly Target[]): Promise<void> {
    const used = new Set(this.stacks.map((stack) => stack.port));
    const ports = allotPorts(this.#options.port, used, targets.length);
    for (const [index, target] of targets.entries()) {
      await this.#reportingFailure(target, async () => {
        const variables = await this.#options.provide(target);
        const stack = this.#makeStack(target, variables, ports[index] ?? 0);
        try {
          await this.#startOne(stack);
        } catch (error) {
          this.#forget(target.name);
          await stack.kill();
          throw error;
        }
      });
    }
  }

  async #apply(stack: Stack, target: Target): Promise<void> {
    const { reporter, provide } = this.#options;
    await this.#reportingFailure(stack.view(), async () => {
      const before = stack.target;
      const isElsewhere = before.source !== target.source || before.runtime !== target.runtime;
      const variables = isElsewhere ? { ...stack.variables, ...(await provide(target)) } : stack.variables;
      reporter.forgetRepeats(stack.view());
      const { changes, refused } = await stack.apply(target, variables);
      if (refused?.failure) throw refused.failure;
      if (refused) throw new Failure('PROGRAM_FAILED', `not applied: ${refused.message}`);
      if (changes.length > 0) reporter.about(stack.view(), `✓ applied: ${changes.join(', ')}`, 'good');
    });
  }

  /** What goes wrong while others run is said, and they go on. */
  async #reportingFailure(speaker: { name: string }, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#ending) return;
      const failure = error instanceof Failure ? error : new Failure('PROGRAM_FAILED', (error as Error).message);
      const { reporter } = this.#options;
      reporter.failure(new Failure(failure.code, `${speaker.name}: ${failure.message}`, failure.mend, failure.detail));
    }
  }

  /** Finishes every request, then resolves. */
  async drain(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.stacks.map((stack) => stack.drain()));
  }

  /** At once. */
  async kill(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.stacks.map((stack) => stack.kill()));
  }
}

/** Pure: what an edit starts, stops and changes. What has not changed is among the changed: to see that is the stack's. */
export function planEdit<S extends { readonly name: string }, T extends { readonly name: string }>(
  running: readonly S[],
  wanted: readonly T[],
): { stop: S[]; start: T[]; apply: [S, T][] } {
  const names = new Set(wanted.map((target) => target.name));
  const byName = new Map(running.map((stack) => [stack.name, stack]));
  return {
    stop: running.filter((stack) => !names.has(stack.name)),
    start: wanted.filter((target) => !byName.has(target.name)),
    apply: wanted.flatMap((target): [S, T][] => {
      const stack = byName.get(target.name);
      return stack ? [[stack, target]] : [];
    }),
  };
}

/** Pure: the lowest ports from `base` that are not in use here; all 0 when any free one will do. */
export function allotPorts(base: number, used: ReadonlySet<number>, howMany: number): number[] {
  if (base === 0) return Array.from({ length: howMany }, () => 0);
  const ports: number[] = [];
  for (let port = base; ports.length < howMany; port++) if (!used.has(port)) ports.push(port);
  return ports;
}
