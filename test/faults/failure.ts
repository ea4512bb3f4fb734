import type { DecidedRow } from "./judge.ts";
import type { Random } from "./random.ts";
import type { World, WorldWish } from "./world.ts";

/** Kept short for `npm test`, whole for the matrix. */
export interface RunOptions {
  /** Orders that buyers place, at least. */
  readonly orders: number;
  readonly brief: boolean;
  readonly random: Random;
}

/** What a failure measures itself; everything about the orders is counted for it afterwards (judge.ts). */
export interface Figures {
  /** From the fault's end to normal; compared with the failure's objective. */
  readonly recoveryMs?: number | undefined;
  /** Further figures, for the report. */
  readonly figures?: Readonly<Record<string, number | string>>;
  /** Sentences on what was not as promised; each one is a miss. */
  readonly misses?: readonly string[];
}

export interface Measured extends Figures {
  /** Bad messages that the failure sent: so many dead letters are right. */
  readonly deadLetters?: number;
  /** What this machine lacks to bring the failure about; then nothing is judged, and nothing is passed. */
  readonly skipped?: string;
  /** What can be told only from the decided orders, once all are. */
  readonly recovery?: (rows: readonly DecidedRow[]) => Figures;
}

interface Named {
  /** "F1"; variants of one failure carry a letter: "F16a". */
  readonly id: string;
  readonly title: string;
}

/** A failure that happens to a world of its own, under load. */
export interface WorldFailure extends Named {
  readonly objective?: { readonly what: string; readonly ms: number };
  readonly world?: WorldWish;
  /** Redis forgets: some accepted orders may turn FAILED; they are counted, and only there are they no loss. */
  readonly redisForgets?: boolean;
  /** Brings the fault about while buyers buy, and returns when it is over; draining and counting are not its business. */
  readonly run: (world: World, options: RunOptions) => Promise<Measured>;
  /** Once everything is decided: sentences on what is not as promised. */
  readonly after?: (world: World, measured: Measured) => Promise<readonly string[]>;
}

/** A failure that is proven by specs on fakes. */
export interface SpecFailure extends Named {
  readonly specs: readonly string[];
  readonly grep: string;
}

export type Failure = WorldFailure | SpecFailure;
