// Edits of the manifests while they run: read when saved, refused as a whole when anything is wrong.
import type { LoadedManifests } from '../manifest.ts';
import type { Origin } from '../origin.ts';
import { type Watch, watchFolder } from './watch.ts';

/** An invalid file must stay so for this long before that is said: an editor may still be writing. */
const SUSPECT_MS = 300;

export class ManifestWatch {
  readonly #origin: Origin;
  readonly #onEdit: (loaded: LoadedManifests) => Promise<void>;
  #watches: Watch[] = [];
  #told: string;
  /** Edits are brought into force one after the other. */
  #busy: Promise<void> = Promise.resolve();
  #suspect: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onEdit hears the manifests as they now are, valid or not */
  constructor(origin: Origin, read: LoadedManifests, onEdit: (loaded: LoadedManifests) => Promise<void>) {
    this.#origin = origin;
    this.#told = read.text;
    this.#onEdit = onEdit;
  }

  start(): void {
    const options = {
      recursive: false,
      wants: (path: string) => /\.(ya?ml|json)$/.test(path),
      ignores: () => false,
      settleMs: 30,
    };
    this.#watches = this.#origin.folders.map((folder) => watchFolder(folder, options, () => this.#look(false)));
    this.#look(false); // what changed between the first read and the watch
  }

  #look(again: boolean): void {
    clearTimeout(this.#suspect);
    const loaded = this.#origin.load();
    if (this.#closed || loaded.text === this.#told) return;
    const isWhole = loaded.problems.length === 0 && loaded.webApps.length > 0;
    if (!isWhole && !again) {
      this.#suspect = setTimeout(() => this.#look(true), SUSPECT_MS);
      return;
    }
    this.#told = loaded.text;
    this.#busy = this.#busy.then(() => this.#onEdit(loaded));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#suspect);
    for (const watch of this.#watches.splice(0)) watch.close();
  }
}
