import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { StackFailure } from "../stack/failure.ts";
import { REPOSITORY } from "../stack/home.ts";
import { refuseWhileStopping, track } from "../stack/registry.ts";
import type { FromClient, Plan, Progress, Tally, ToClient } from "./client/plan.ts";

const CLIENT = join(REPOSITORY, "dist/tools/bench/client/main.js");

export type LoadClient = Awaited<ReturnType<typeof startClient>>;

/** A load client with its connections open, waiting for the word. */
export async function startClient(plan: Plan) {
  refuseWhileStopping();
  const child = fork(CLIENT, {
    execArgv: [],
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const forget = track({
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    kill: () => void child.kill("SIGKILL"),
  });
  void ended.then(forget);
  let progress: Progress = { offered: 0, answered: 0, accepted: 0 };
  const heard = <K extends FromClient["kind"]>(kind: K): Promise<Extract<FromClient, { kind: K }>> =>
    new Promise((resolve, reject) => {
      child.on("message", (message: FromClient) => {
        if (message.kind === "progress") progress = message.progress;
        if (message.kind === "failed") reject(new StackFailure(`The load client: ${message.reason}.`));
        if (message.kind === kind) resolve(message as Extract<FromClient, { kind: K }>);
      });
      void ended.then(() => {
        reject(new StackFailure("The load client ended before its work was done."));
      });
    });
  const connected = heard("connected");
  tell({ kind: "plan", plan });
  await connected;
  return {
    pid: child.pid,
    progress: () => progress,
    /** Sends everything. The process stays, so that what it has cost can still be read, until `end`. */
    async run(): Promise<Tally> {
      const done = heard("done");
      tell({ kind: "go" });
      return (await done).tally;
    },
    async end(): Promise<void> {
      child.kill("SIGKILL");
      await ended;
    },
  };

  function tell(message: ToClient): void {
    child.send(message);
  }
}
