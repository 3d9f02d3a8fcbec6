// What discovery hands on: an application, or why there is none.

export interface StaticFolder {
  /** URL path, such as `/static`. */
  readonly path: string;
  /** Folder relative to the application's source. */
  readonly from: string;
}

/** An application as a person would have found it. */
export interface Found {
  /** For `spec.app`. */
  readonly app: string;
  readonly runtime: 'wsgi' | 'node';
  /** `Flask`, `Django`, `Express`, …; `Python` or `Node` when it is none that we know. */
  readonly framework: string;
  /** Where it was found and by what, such as `app.py (app = Flask(…))`. */
  readonly evidence: string;
  /** Folder of the source relative to the folder looked at; '' when it is that. */
  readonly source: string;
  readonly statics: readonly StaticFolder[];
  /** What a person should know about the choice: each one sentence. */
  readonly notes: readonly string[];
}

/** Something that was looked at and cannot be served, and why: one sentence each. */
export type Rejections = string[];
