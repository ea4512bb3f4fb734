import type { Plan, Tally } from "./client/plan.ts";
import { percentileFigures, type Figures } from "./figures.ts";
import { startClient } from "./load.ts";
import type { Bench } from "./bench-run.ts";
import type { RunningTarget } from "./targets/target.ts";

export interface BesideResult {
  readonly figures: Figures;
  /** Orders that it placed itself, and that are to be settled too. */
  readonly accepted: number;
  readonly complaints: readonly string[];
}

export interface BesideUnderWay {
  /** Processes of the load; what they cost is told apart from the servers'. */
  readonly pids: readonly number[];
  /** After the orders' last answer. */
  stop(): Promise<BesideResult>;
}

/** Something else that goes on while orders come: it begins before the first of them. */
export type Beside = (
  bench: Bench,
  running: RunningTarget,
  productIds: readonly number[],
) => Promise<BesideUnderWay>;

/** Requests of another kind, sent by a client of their own; their figures bear the name. */
export function requestsBeside(
  name: string,
  planOf: (bench: Bench, productIds: readonly number[]) => Promise<Omit<Plan, "addresses">>,
  complaintsOf: (tally: Tally) => string[],
): Beside {
  return async (bench, running, productIds) => {
    const plan = await planOf(bench, productIds);
    const client = await startClient({ ...plan, addresses: running.addresses });
    const run = client.run();
    return {
      pids: client.pid === undefined ? [] : [client.pid],
      async stop() {
        const tally = await run;
        await client.end();
        const { answered, firstAt, lastAt, answerMs, outcomes } = tally;
        const counts = Object.entries(outcomes).map(([outcome, count]) => [`${name}: ${outcome}`, count]);
        return {
          figures: {
            [`${name}_answered_per_s`]: (answered / (lastAt - firstAt)) * 1_000,
            ...percentileFigures(name, answerMs),
            ...(Object.fromEntries(counts) as Figures),
          },
          accepted: tally.accepted,
          complaints: complaintsOf(tally).map((complaint) => `${name}: ${complaint}`),
        };
      },
    };
  };
}

/** Complaints about every outcome but these. */
export const onlyOutcomes =
  (...allowed: string[]) =>
  ({ outcomes, offered, answered }: Tally): string[] => [
    ...Object.entries(outcomes)
      .filter(([outcome]) => !allowed.includes(outcome))
      .map(([outcome, count]) => `${count} times ${outcome}`),
    ...(answered < offered ? [`${offered - answered} were not answered`] : []),
  ];
