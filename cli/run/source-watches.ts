// `--reload`: new code is taken when it is saved, new requirements are installed first.
import { Failure } from '../failure.ts';
import type { Reporter } from '../terminal/reporter.ts';
import type { Provide, Session } from './session.ts';
import type { Stack } from './stack.ts';
import { sourceWatch, type Watch, watchFolder } from './watch.ts';

const REQUIREMENTS = /(^|\/)(requirements[\w-]*\.txt|pyproject\.toml|package\.json|package-lock\.json)$/;

export class SourceWatches {
  readonly #session: Session;
  readonly #reporter: Reporter;
  readonly #provide: Provide;
  readonly #watches = new Map<string, Watch>();

  constructor(session: Session, reporter: Reporter, provide: Provide) {
    this.#session = session;
    this.#reporter = reporter;
    this.#provide = provide;
  }

  /** Watches the source of each WebApp that runs now, and nothing else. */
  sync(): void {
    const wanted = new Map(this.#session.stacks.map(({ target }) => [`${target.runtime} ${target.source}`, target]));
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) continue;
      watch.close();
      this.#watches.delete(key);
    }
    for (const [key, { source, runtime }] of wanted) {
      if (this.#watches.has(key)) continue;
      const watch = watchFolder(source, sourceWatch(runtime), (files) => void this.#onChange(source, files));
      this.#watches.set(key, watch);
    }
  }

  async #onChange(source: string, files: readonly string[]): Promise<void> {
    for (const stack of this.#session.stacks) {
      if (stack.target.source === source) await this.#reload(stack, files);
    }
  }

  async #reload(stack: Stack, files: readonly string[]): Promise<void> {
    const shown = files.length > 3 ? `${files.slice(0, 3).join(', ')} and ${files.length - 3} more` : files.join(', ');
    this.#reporter.forgetRepeats(stack.view());
    this.#reporter.about(stack.view(), `↻ ${shown} changed: reloading`, 'dim');
    try {
      if (files.some((file) => REQUIREMENTS.test(file))) await this.#provide(stack.target);
      stack.reload();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#reporter.failure(error);
    }
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }
}
