// What we wrote and the watch has not told yet: which versions are echoes of ours, what listeners knew before, and what we deleted.

/** One version of an object, packed. */
export interface Version {
  readonly version: string;
  readonly text: string;
}

interface Pending {
  /** What listeners were told last. undefined: the object came by our write. */
  told: Version | undefined;
  /** Of our writes that were not echoed, oldest first. */
  readonly versions: string[];
}

/** Of writes to one object. An echo beyond that is taken for another's change: one pass too many, none too few. */
const MAX_VERSIONS = 8;
/** Of deletes. Beyond that a late event may show an object of ours again, until its DELETED comes. */
const MAX_DELETES = 10_000;

export class OwnWrites {
  readonly #pending = new Map<string, Pending>();
  /** uid → number of the list that was last when we deleted it, or that still had it. */
  readonly #deletes = new Map<string, number>();

  /** @param told what was there before, which listeners know unless we wrote that too */
  wrote(key: string, version: string, told: Version | undefined): void {
    const pending = this.#pending.get(key) ?? { told, versions: [] };
    pending.versions.push(version);
    if (pending.versions.length > MAX_VERSIONS) pending.versions.shift();
    this.#pending.set(key, pending);
  }

  pending(key: string): Pending | undefined {
    return this.#pending.get(key);
  }

  /** The server has told of the object as we left it, or of a later state. */
  confirm(key: string): void {
    this.#pending.delete(key);
  }

  deleted(uid: string, list: number): void {
    this.#deletes.set(uid, list);
    for (const oldest of this.#deletes.keys()) {
      if (this.#deletes.size <= MAX_DELETES) return;
      this.#deletes.delete(oldest);
    }
  }

  hasDeleted(uid: string | undefined): boolean {
    return this.#deletes.size > 0 && uid !== undefined && this.#deletes.has(uid);
  }

  /** A list has it: it was made before our delete, whose event comes. */
  stillListed(uid: string, list: number): void {
    this.#deletes.set(uid, list);
  }

  /** @returns whether it was our delete */
  confirmDelete(uid: string | undefined): boolean {
    return uid !== undefined && this.#deletes.delete(uid);
  }

  /** What an older list was the last to show is gone. */
  confirmDeletesBefore(list: number): void {
    for (const [uid, seen] of this.#deletes) if (seen < list) this.#deletes.delete(uid);
  }

  clear(): void {
    this.#pending.clear();
    this.#deletes.clear();
  }
}
