/** A bug that is planted to see whether the tests notice. */
export interface Mutant {
  readonly id: string;
  readonly title: string;
  /** All together make the bug. */
  readonly edits: readonly Edit[];
  /** Those that should notice. */
  readonly specs: readonly string[];
  /** Of these, the tests whose full titles match. */
  readonly grep?: string;
}

export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once: code that has moved must not disarm the mutant in silence. */
  readonly find: string;
  readonly replace: string;
}
