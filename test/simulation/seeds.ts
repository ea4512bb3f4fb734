import { parseArgs } from "node:util";
import { simulate, type Tally } from "./simulate.ts";

/** What the process that runs a range of seeds tells the one that started it, after each seed. */
export interface SeedReport {
  readonly seed: number;
  readonly violation?: string;
  readonly tally: Tally;
}

/** Runs every `step`-th of the seeds from `from`, below `to`, and sends a report on each. */
const { values } = parseArgs({
  options: { from: { type: "string" }, to: { type: "string" }, step: { type: "string" } },
});
// Who started it is gone: nobody reads on.
const alone = () => process.exit(1);
process.once("disconnect", alone);
for (let seed = Number(values.from); seed < Number(values.to); seed += Number(values.step)) {
  const { violation, tally } = await simulate(seed);
  const report: SeedReport = { seed, tally, ...(violation !== undefined && { violation }) };
  process.send?.(report);
}
process.off("disconnect", alone);
process.disconnect();
