import { mediansOf, sharesOf, type Figures } from "./figures.ts";
import type { Machine } from "./machine.ts";
import type { Round } from "./order-round.ts";

/** What one target did in one case. */
export interface TargetResult {
  readonly target: string;
  readonly median: Figures;
  readonly rounds: readonly Round[];
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly targets: readonly TargetResult[];
  /** FlashPay's medians as shares of each yardstick's, by its name. */
  readonly shares: Readonly<Record<string, Figures>>;
}

/** The document of --json and --save. */
export interface Results {
  readonly at: string;
  readonly command: string;
  readonly machine: Machine;
  readonly cases: readonly CaseResult[];
}

export const OURS = "flashpay";

export function caseResult(name: string, title: string, rounds: ReadonlyMap<string, Round[]>): CaseResult {
  const targets = [...rounds].map(([target, all]) => ({
    target,
    median: mediansOf(all.map(({ figures }) => figures)),
    rounds: all,
  }));
  const ours = targets.find(({ target }) => target === OURS);
  const others = targets.filter(({ target }) => target !== OURS);
  const shares = ours ? others.map(({ target, median }) => [target, sharesOf(ours.median, median)]) : [];
  return { name, title, targets, shares: Object.fromEntries(shares) as Record<string, Figures> };
}

/** Everything that keeps a run from being clean: the case, the target, the round, what. */
export function complaintsOf(cases: readonly CaseResult[]): string[] {
  return cases.flatMap(({ name, targets }) =>
    targets.flatMap(({ target, rounds }) =>
      rounds.flatMap(({ complaints }, i) =>
        complaints.map((complaint) => `${name}, ${target}, round ${i + 1}: ${complaint}`),
      ),
    ),
  );
}
