/** What all stacks of one `webapp up` share. */
export interface StackSettings {
  readonly host: string;
  /** Development: new code is taken when it is saved. */
  readonly reload: boolean;
  readonly accessLog: boolean;
  /** Node, to run the two programs with. */
  readonly executable: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}
