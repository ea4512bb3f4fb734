import { compareSync, hashSync } from "bcryptjs";

/** 2¹⁰ rounds: about 60 ms, on a thread of its own. */
const COST = 10;

export type PasswordTask =
  | { readonly task: "hash"; readonly password: string }
  | { readonly task: "compare"; readonly password: string; readonly hash: string };

/** Runs in a worker thread. */
export function run(task: PasswordTask): string | boolean {
  return task.task === "hash" ? hashSync(task.password, COST) : compareSync(task.password, task.hash);
}
