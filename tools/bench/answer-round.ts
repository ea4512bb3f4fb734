import type { Plan } from "./client/plan.ts";
import { cpuFigures, machineFigures, percentileFigures } from "./figures.ts";
import { startClient } from "./load.ts";
import type { Bench } from "./bench-run.ts";
import type { Round } from "./order-round.ts";
import { startYardstick, type YardstickProgram } from "./targets/yardstick.ts";
import { watch } from "./watch.ts";

/** One round of a yardstick that only answers. */
export async function answerRound(
  bench: Bench,
  program: YardstickProgram,
  plan: Omit<Plan, "addresses">,
): Promise<Round> {
  bench.onProgress(program);
  const service = await startYardstick(bench.site, program);
  try {
    const client = await startClient({ ...plan, addresses: [`127.0.0.1:${service.port}`] });
    const roles = {
      api: service.pid === undefined ? [] : [service.pid],
      client: client.pid === undefined ? [] : [client.pid],
    };
    const watching = watch({ roles, lag: () => Promise.resolve(0) });
    const { offered, answered, firstAt, lastAt, answerMs, outcomes } = await client.run();
    const { cpuMs, othersPart } = await watching.stop();
    await client.end();
    return {
      figures: {
        ...{ offered, answered, answered_per_s: (answered / (lastAt - firstAt)) * 1_000 },
        ...percentileFigures("answer", answerMs),
        ...cpuFigures(cpuMs, "request", answered),
        ...machineFigures(othersPart),
      },
      outcomes,
      complaints: answered < offered ? [`${offered - answered} requests were not answered`] : [],
    };
  } finally {
    await service.stop();
  }
}
