import type { FromClient, ToClient } from "./plan.ts";
import { openClient, type Client } from "./run-plan.ts";

const PROGRESS_EVERY_MS = 250;

/** The load client: a process of its own, so that its cost can be told from the servers', told what to do by its parent. */
let client: Client | undefined;

process.on("message", (message: ToClient) => {
  work(message).catch((error: unknown) => {
    tell({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  });
});
process.once("disconnect", () => process.exit(0));

async function work(message: ToClient): Promise<void> {
  if (message.kind === "plan") {
    client = await openClient(message.plan);
    tell({ kind: "connected" });
    return;
  }
  if (!client) throw new Error("go was said before the plan");
  const { progress, run } = client;
  const telling = setInterval(() => {
    tell({ kind: "progress", progress: progress() });
  }, PROGRESS_EVERY_MS);
  const tally = await run();
  clearInterval(telling);
  tell({ kind: "done", tally });
}

function tell(message: FromClient): void {
  process.send?.(message);
}
