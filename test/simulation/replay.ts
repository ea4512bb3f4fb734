import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

/** Lives one seed's life again and prints what happens in it, task by task. */
const { values } = parseArgs({ options: { seed: { type: "string" }, trace: { type: "boolean" } } });
const { violation, tally, steps, trace } = await simulate(Number(values.seed), { keepTrace: true });
if (values.trace) process.stdout.write(`${trace.join("\n")}\n`);
process.stdout.write(`seed ${Number(values.seed)}: ${steps} steps, ${JSON.stringify(tally)}\n`);
process.stdout.write(`${violation ?? "every invariant holds"}\n`);
if (violation !== undefined) process.exitCode = 1;
